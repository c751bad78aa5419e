import type { Baseline } from "../src/index.ts";
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

const RUNS = 60;
const UNCHANGED = 200;

/** Drawn once, whoever needs them. */
const baselines = new Map<number, Promise<Baseline>>();

function baselineOf(index: number): Promise<Baseline> {
  const known = baselines.get(index) ?? drawBaseline(`baseline ${index}`);
  baselines.set(index, known);
  return known;
}

test.each(PLANTED)(`%s is found by %s in at least 48 of ${RUNS} runs`, async (name, metric, agent) => {
  let found = 0;
  for (let index = 0; index < RUNS; index++) {
    const { outcome } = await judgeAgent(agent, await baselineOf(index), `${name} ${index}`, metric);
    if (outcome === "worse") found++;
  }
  expect(found).toBeGreaterThanOrEqual(48);
});

test.each(PLANTED_IN_REQUESTS)(`%s is found by each of ${RUNS} replays, without a model`, async (_, agentOf) => {
  const recorded = await recordGood();
  for (let index = 0; index < RUNS; index++)
    expect(await judgeReplay(agentOf(index), recorded)).toMatchObject({ outcome: "worse" });
  expect(await judgeReplay(GOOD, recorded)).toMatchObject({ outcome: "not-worse" });
});

test(`an unchanged agent alarms at most 16 times in ${UNCHANGED}, with a baseline of its own each time`, async () => {
  let alarms = 0;
  for (let index = 0; index < UNCHANGED; index++) {
    const { outcome } = await judgeAgent(GOOD, await baselineOf(index), `unchanged ${index}`, "passed");
    expect(outcome).not.toBe("incomplete");
    if (outcome === "worse") alarms++;
  }
  expect(alarms).toBeLessThanOrEqual(16);
  // A gate that never alarms would see nothing either.
  expect(alarms).toBeGreaterThan(0);
});
