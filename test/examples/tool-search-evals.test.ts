import { fileURLToPath } from "node:url";
import { MemoryStore } from "@pollux/core";
import { runEval } from "@pollux/evals";
import { expect, test, vi } from "vitest";

const FOLDER = fileURLToPath(new URL("../../examples/tool-search/", import.meta.url));

test("the suite about tool search runs without a key, and its scorers see the tools' own names", async () => {
  for (const name of ["GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "COMETAPI_KEY"])
    vi.stubEnv(name, "");
  const { default: suite } = await import("../../examples/tool-search/tool-search.eval.ts");
  const made = await runEval(suite, { folder: FOLDER, version: { tree: "t" }, store: new MemoryStore(), trials: 1 });
  const trials = made.flatMap(({ cases }) => cases.map(({ id, trials: [trial] }) => [id, trial?.status, trial?.why]));
  expect(trials).toEqual(["count", "cancel", "hello"].map((id) => [id, "passed", undefined]));
});
