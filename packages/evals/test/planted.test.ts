import { expect, test } from "vitest";
import { drawBaseline, GOOD, judgeAgent, PLANTED } from "./planted/support-agent.ts";

test("timing", async () => {
  const t0 = performance.now();
  const baseline = await drawBaseline("b1");
  const t1 = performance.now();
  const v = await judgeAgent(GOOD, baseline, "r1", "passed");
  const t2 = performance.now();
  console.log(t1 - t0, t2 - t1, v.text);
  for (const [name, metric, agent] of PLANTED) {
    const t = performance.now();
    const verdict = await judgeAgent(agent, baseline, `r ${name}`, metric);
    console.log(name, performance.now() - t, verdict.outcome, verdict.text);
  }
  const t3 = performance.now();
  await drawBaseline("b2");
  console.log(performance.now() - t3);
});
