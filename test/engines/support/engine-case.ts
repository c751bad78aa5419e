import type { EnginePlace } from "./engine-place.ts";
import type { Outside } from "./outside.ts";

/** What a case works with. No worker runs at its beginning; those it leaves are ended. */
export interface CaseWorld {
  readonly place: EnginePlace;
  readonly outside: Outside;
  /** The name of a run that no other case has. */
  readonly run: (name: string) => string;
  /** Numbers from 0 to 1, the same for the same seed. */
  readonly random: () => number;
}

/** What came of a case. */
export interface Found {
  readonly problems: readonly string[];
  readonly note?: string | undefined;
}

/** One row of the matrix. */
export interface EngineCase {
  readonly name: string;
  try(world: CaseWorld): Promise<Found>;
}

/** Only tells where a run hangs, in milliseconds: far more than anything takes on a busy machine. */
const PATIENCE_MS = 180_000;

/** Waits for something of a run, but not for ever. */
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

/** Looks again and again until something is there. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`hung: ${what} did not come within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
