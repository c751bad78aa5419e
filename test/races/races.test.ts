import { MemoryStore } from "@pollux/core";
import { expect, test } from "vitest";
import { fakeTime } from "../../packages/core/test/helpers/fake-time.ts";
import { playLocally } from "./support/local-round.ts";
import { planRound } from "./support/round.ts";
import { describeFailure } from "./support/seeds.ts";

fakeTime("stands");

// `races.system.test.ts` has every store, real processes and any number of rounds.
test.each([1, 2, 3, 4, 5])(
  "what several do at once with one session is done once, as it was approved, or refused: seed %d",
  async (seed) => {
    const round = planRound(seed, false);
    const report = await playLocally(round, new MemoryStore(), "race");
    expect(report.problems.length === 0 ? "" : await describeFailure(round, "memory", report)).toBe("");
  },
);
