import type { EnginePlace } from "./engine-place.ts";
import type { Outside } from "./outside.ts";

/** The tools of a case. It starts without workers; remaining ones are ended. */
export interface CaseWorld {
  readonly place: EnginePlace;
  readonly outside: Outside;
  /** A unique name for a run. */
  readonly run: (name: string) => string;
  /** Numbers from 0 to 1, the same for the same seed. */
  readonly random: () => number;
}

/** The result of a case. */
export interface Found {
  readonly problems: readonly string[];
  readonly note?: string | undefined;
}

/** One row of the matrix. */
export interface EngineCase {
  readonly name: string;
  try(world: CaseWorld): Promise<Found>;
}

/** Detects a hang, in milliseconds: far more than anything takes on a busy machine. */
const PATIENCE_MS = 180_000;

/** Waits for something of a run, with a limit. */
export async function soon<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hung: ${what} did not come within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until there is a value. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`hung: ${what} did not come within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
