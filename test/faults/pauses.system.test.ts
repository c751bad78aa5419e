import { afterAll, beforeAll, expect, test } from "vitest";
import type { Act } from "./support/rivals/acts.ts";
import { type PausedRound, pausedRound } from "./support/rivals/paused.ts";
import { startRival } from "./support/rivals/remote-rival.ts";
import { openSharedPlaces, SHARED_KINDS, type SharedPlaces } from "./support/rivals/rival-places.ts";
import { rivalTally } from "./support/rivals/rival-table.ts";
import { openShared } from "./support/rivals/shared-store.ts";
import { randomFrom, SEED } from "./support/random.ts";
import { sideBySide } from "./support/side-by-side.ts";

const tally = rivalTally("processes paused past their lease", ["lost its lease", "finished itself", "stopped"]);
let places: SharedPlaces;
beforeAll(async () => void (places = await openSharedPlaces()));
afterAll(async () => {
  tally.print();
  await places[Symbol.asyncDispose]();
});

const random = randomFrom(SEED);

const WHERE: readonly PausedRound["where"][] = [
  { at: "look" },
  { at: "save" },
  { at: "pay" },
  { at: "model" },
  ...[1, 2, 4, 6].flatMap((number) =>
    (["before", "after"] as const).map((when) => ({ at: "append" as const, number, when })),
  ),
  // In the middle of anything, such as a write to the disk.
  ...Array.from({ length: 6 }, () => ({ afterMs: random() * 25 })),
];

const MEANWHILE: readonly Act[] = ["resume", "send", "continue", "send, wait", "send, replace", "stop"];

const ROUNDS = WHERE.flatMap((where) =>
  (["during", "after"] as const).map((wakes, index) => ({ where, wakes, index })),
);

test.each(SHARED_KINDS)(
  "a process with a %s store is paused, and wakes up when another has its session",
  async (kind) => {
    // Each pause stops a whole process.
    const lanes = Array.from({ length: 3 }, (_, lane) => ROUNDS.filter((__, index) => index % 3 === lane));
    const found = await sideBySide(lanes, 3, async (rounds, lane) => {
      // A paused process may hold the lock of a whole file.
      const place = await places.place(kind, `pauses-${lane}`);
      await using shared = openShared(place);
      const { store } = shared;
      await using paused = await startRival(place);
      await using other = await startRival(place);
      const problems: string[] = [];
      for (const [index, { where, wakes }] of rounds.entries()) {
        const act = MEANWHILE[(index + lane) % MEANWHILE.length] ?? "resume";
        const id = `${kind}-${lane}-${index}`;
        problems.push(
          ...(await pausedRound({ store, rivals: [paused, other], id, where, act, wakes, tally, row: kind })),
        );
      }
      return [...problems, ...paused.unheard, ...other.unheard];
    });
    expect(found.flat()).toEqual([]);
    expect(tally.total("lost its lease")).toBeGreaterThan(0);
  },
);
