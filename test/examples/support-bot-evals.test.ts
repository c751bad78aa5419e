import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MemoryStore } from "@pollux/core";
import { type EvalSuite, judgeRun, readBaseline, runEval, type World } from "@pollux/evals";
import { beforeAll, describe, expect, test, vi } from "vitest";

const FOLDER = fileURLToPath(new URL("../../examples/support-bot/", import.meta.url));
const KEYS = ["GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "COMETAPI_KEY"];

let suite: EvalSuite;

// Without a key, the file starts an emulator, which ends with this process.
beforeAll(async () => {
  for (const name of KEYS) vi.stubEnv(name, "");
  ({ default: suite } = await import("../../examples/support-bot/support.eval.ts"));
});

async function run(world?: World) {
  const [made] = await runEval(suite, {
    folder: FOLDER,
    version: { tree: "t" },
    store: new MemoryStore(),
    trials: 1,
    world,
  });
  if (made === undefined) throw new Error("there is no run");
  return {
    ...made,
    verdict: judgeRun(made, readBaseline(readFileSync(`${FOLDER}support.emulator.baseline.json`, "utf8"))),
  };
}

describe("the support bot's suite, on the emulator", () => {
  test("passes all of its twelve cases, as its baseline says", async () => {
    const { cases, verdict } = await run();
    expect(cases.flatMap(({ trials }) => trials).filter(({ status }) => status !== "passed")).toEqual([]);
    expect(cases).toHaveLength(12);
    // After a change of the suite, `npx pnpm eval --update-baseline` writes it again.
    expect(verdict).toMatchObject({ outcome: "not-worse", added: [], missing: [] });
  });

  test.each([
    ["replay", ["order-9", "order-31"]],
    ["fork", ["order-31"]],
  ] as const)("has recorded cases for the world %s", async (world, ids) => {
    const { cases } = await run(world);
    expect(cases.map(({ id, trials }) => [id, trials[0]?.status, trials[0]?.why])).toEqual(
      ids.map((id) => [id, "passed", undefined]),
    );
  });

  test("may fail a build by its judge, which was compared with a person's labels", async () => {
    const { cases } = await run("fork");
    const scores = cases[0]?.trials[0]?.scores.map(({ name, score, isAdvisory = false }) => ({
      name,
      score,
      isAdvisory,
    }));
    expect(scores).toEqual([
      { name: "next", score: 0.9, isAdvisory: false },
      { name: "called", score: 1, isAdvisory: false },
    ]);
  });
});
