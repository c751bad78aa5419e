import { MemoryStore } from "@pollux/core";
import { type EvalSuite, runEval } from "@pollux/evals";
import { beforeAll, expect, test, vi } from "vitest";

let suite: EvalSuite;

// Without a key, the file starts an emulator, which ends with this process.
beforeAll(async () => {
  for (const name of ["GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "COMETAPI_KEY"])
    vi.stubEnv(name, "");
  ({ default: suite } = await import("../templates/web/evals/chat.eval.ts"));
});

test("the cases of a new web chat pass on the emulator", async () => {
  const runs = await runEval(suite, { version: { tree: "t" }, store: new MemoryStore(), trials: 1 });
  expect(runs.flatMap(({ cases }) => cases.map(({ id, trials }) => [id, trials[0]?.status, trials[0]?.why]))).toEqual([
    ["dice", "passed", undefined],
    ["table", "passed", undefined],
    ["hello", "passed", undefined],
  ]);
});
