import { expect, test } from "vitest";
import {
  drawBaseline,
  GOOD,
  judgeAgent,
  judgeReplay,
  PLANTED,
  PLANTED_IN_REQUESTS,
  recordGood,
} from "./planted/support-agent.ts";

/** Fewer than there are, with a draw in which that is enough: `planted.system.test.ts` counts how often. */
const TRIALS = 3;

test("planted regressions are found, and an unchanged agent is not worse", async () => {
  const baseline = await drawBaseline("smoke baseline", TRIALS);
  const outcomes: Record<string, string> = {};
  const some = PLANTED.filter(([name]) => ["a dropped tool", "a lost citation", "a slower turn"].includes(name));
  for (const [name, metric, agent] of [...some, ["nothing", "passed", GOOD] as const])
    outcomes[name] = (await judgeAgent(agent, baseline, `smoke ${name}`, metric, TRIALS)).outcome;

  expect(outcomes).toEqual({
    "a dropped tool": "worse",
    "a lost citation": "worse",
    "a slower turn": "worse",
    nothing: "not-worse",
  });
});

test("a replay finds what changes a request, and nothing in an unchanged agent", async () => {
  const recorded = await recordGood();
  for (const [name, agentOf] of PLANTED_IN_REQUESTS)
    expect([name, (await judgeReplay(agentOf(1), recorded)).outcome]).toEqual([name, "worse"]);
  expect((await judgeReplay(GOOD, recorded)).outcome).toBe("not-worse");
});
