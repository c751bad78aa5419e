import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "@pollux/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeTime } from "../../packages/core/test/helpers/fake-time.ts";
import { openSharedPlaces, SHARED_KINDS, type SharedPlaces } from "../faults/support/rivals/rival-places.ts";
import { openShared } from "../faults/support/rivals/shared-store.ts";
import { sideBySide } from "../faults/support/side-by-side.ts";
import { playLocally } from "./support/local-round.ts";
import { Troupe } from "./support/process-round.ts";
import { planRound, type Round } from "./support/round.ts";
import { describeFailure, listSeeds, seedsFromEnvironment } from "./support/seeds.ts";

/** Parallel rounds of processes: most of them wait. */
const LANES = 2;

/** Ends a hang; other programs may use the machine as well. */
const LIMIT = { timeout: 3_600_000 };

const SEEDS = seedsFromEnvironment();

let places: SharedPlaces;
const folder = mkdtempSync(join(tmpdir(), "pollux-races-"));
beforeAll(async () => void (places = await openSharedPlaces()));
afterAll(async () => {
  await places[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function isWanted(kind: string): boolean {
  return SEEDS.store === undefined || SEEDS.store === kind;
}

describe("actors of one process and of pretended ones, on a clock of their own,", () => {
  fakeTime("stands");

  test.for(["memory", "sqlite", "jsonl"] as const)(
    "act on one session in a %s store, and nothing is lost, doubled or done without approval",
    LIMIT,
    async (kind, { skip }) => {
      skip(!isWanted(kind), "another store is asked for");
      const memory = new MemoryStore();
      const shared = kind === "memory" ? undefined : openShared(await places.place(kind, "local"));
      const store = shared?.store ?? memory;
      const failures: string[] = [];
      let count = 0;
      const play = (round: Round): ReturnType<typeof playLocally> => playLocally(round, store, `race-${count++}-`);
      for (const seed of listSeeds(SEEDS)) {
        const round = planRound(seed, false);
        const report = await play(round);
        if (report.problems.length > 0) failures.push(await describeFailure(round, kind, report, play));
      }
      await shared?.[Symbol.asyncDispose]();
      expect(failures.join("\n")).toBe("");
    },
  );
});

describe("processes that are killed and paused", () => {
  const kinds = SHARED_KINDS.filter(isWanted);

  test.for(SHARED_KINDS)(
    "act on one session in a %s store, and nothing is lost, doubled or done without approval",
    LIMIT,
    async (kind, { skip }) => {
      skip(!isWanted(kind), "another store is asked for");
      const seeds = listSeeds(SEEDS, kinds.indexOf(kind), kinds.length);
      const lanes = Array.from({ length: LANES }, (_, lane) => seeds.filter((__, index) => index % LANES === lane));
      const failures = await sideBySide(lanes, LANES, async (own, lane) => {
        // A paused process may hold the lock of a whole file.
        const place = await places.place(kind, `races-${lane}`);
        await using shared = openShared(place);
        await using troupe = new Troupe(place);
        const found: string[] = [];
        for (const seed of own) {
          const round = planRound(seed, true);
          const effects = join(folder, `${kind}-${seed}`);
          const report = await troupe.play(round, shared.store, `race-${seed}-`, effects);
          if (report.problems.length > 0) found.push(await describeFailure(round, kind, report));
        }
        return found;
      });
      expect(failures.flat().join("\n")).toBe("");
    },
  );
});
