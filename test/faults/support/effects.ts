import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";

/** What a tool did to the world. */
export interface Effect {
  readonly step: "start" | "end";
  readonly what: string;
  readonly key: string;
}

/** Where tools tell what they do. */
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

/** Effects in a file: each is there for good before the tool goes on, whatever becomes of its process. */
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

/** What a file of effects holds; nothing when there is none. */
export function readEffects(file: string): readonly Effect[] {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // Written in one piece each; a process killed in the middle of one may leave a part, which says nothing.
  return text.split("\n").flatMap((line) => {
    if (!line.endsWith("}")) return [];
    return [JSON.parse(line) as Effect];
  });
}

/** How often each effect was brought to its end, under whatever key. */
export function endings(effects: readonly Effect[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { step, what } of effects) if (step === "end") counts.set(what, (counts.get(what) ?? 0) + 1);
  return counts;
}
