import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";

/** An effect of a tool on the world. */
export interface Effect {
  readonly step: "start" | "end";
  readonly what: string;
  readonly key: string;
}

/** Where tools record their effects. */
export interface Effects {
  tell(effect: Effect): void;
}

/** Effects in the memory of this process. */
export class EffectsList implements Effects {
  readonly all: Effect[] = [];

  tell(effect: Effect): void {
    this.all.push(effect);
  }
}

/** Effects in a file: each is durable before the tool continues, even if its process dies. */
export class EffectsFile implements Effects {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  tell(effect: Effect): void {
    const handle = openSync(this.#file, "a");
    try {
      writeSync(handle, `${JSON.stringify(effect)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }
}

/** The effects in a file; empty for a missing file. */
export function readEffects(file: string): readonly Effect[] {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // Each is one write; a process killed midway may leave an incomplete line, which doesn't count.
  return text.split("\n").flatMap((line) => {
    if (!line.endsWith("}")) return [];
    return [JSON.parse(line) as Effect];
  });
}

/** How many times each effect was completed, under any key. */
export function endings(effects: readonly Effect[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { step, what } of effects) if (step === "end") counts.set(what, (counts.get(what) ?? 0) + 1);
  return counts;
}
