import { expect, test } from "vitest";
import { drawBaseline, GOOD, judgeAgent, PLANTED } from "./planted/support-agent.ts";

// One draw of some of them, as a smoke test of `planted.system.test.ts`, which counts how often.
test("planted regressions are found, and an unchanged agent is not worse", async () => {
  const baseline = await drawBaseline("smoke baseline");
  const outcomes: Record<string, string> = {};
  const some = PLANTED.filter(([name]) => ["a dropped tool", "a lost citation", "a slower turn"].includes(name));
  for (const [name, metric, agent] of [...some, ["nothing", "passed", GOOD] as const])
    outcomes[name] = (await judgeAgent(agent, baseline, `smoke ${name}`, metric)).outcome;

  expect(outcomes).toEqual({
    "a dropped tool": "worse",
    "a lost citation": "worse",
    "a slower turn": "worse",
    nothing: "not-worse",
  });
});
