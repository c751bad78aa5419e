import { MemoryStore } from "@pollux/core";
import { expect, test } from "vitest";
import { fakeTime } from "../../packages/core/test/helpers/fake-time.ts";
import { playLocally } from "./support/local-round.ts";
import { planRound } from "./support/round.ts";
import { describeFailure } from "./support/seeds.ts";

fakeTime("stands");

// Every store, real processes and as many rounds as one likes: `races.system.test.ts`.
test.each([1, 2, 3, 4, 5])(
  "what several do at once with one session is done once, as it was approved, or refused: seed %d",
  async (seed) => {
    const round = planRound(seed, false);
    const report = await playLocally(round, new MemoryStore(), "race");
    expect(report.problems.length === 0 ? "" : await describeFailure(round, "memory", report)).toBe("");
  },
);
