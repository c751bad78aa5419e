import { afterAll, beforeAll } from "vitest";
import { LONG } from "./errand.ts";
import { openPlaces, type Places } from "./places.ts";
import { Tally } from "./tally.ts";

/** The counts of one test file, and the place of its stores. */
export interface FaultTable {
  readonly tally: Tally;
  /** Available from the first test on. */
  readonly places: Places;
}

/** Opens places for long errands before the tests of a file, prints the counts after them, and clears up. */
export function faultTable(title: string): FaultTable {
  const tally = new Tally(title, ["times", "stopped, typed", "gone on, right", "lost", "doubled", "untyped"]);
  let places: Places | undefined;
  beforeAll(async () => void (places = await openPlaces(LONG)));
  afterAll(async () => {
    tally.print();
    await places?.[Symbol.asyncDispose]();
  });
  return {
    tally,
    get places() {
      if (places === undefined) throw new Error("the places are opened before the first test");
      return places;
    },
  };
}
