import { defineTool, MemoryStore } from "@pollux/core";
import { calls, say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { readTurn } from "../../src/inspection/read-turn.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";

test("a call that has read a skill names it, with about the tokens of its text", async () => {
  const text = "x".repeat(4000);
  const useSkill = defineTool({
    name: "use_skill",
    description: "x",
    run: async (_input, { step }) => {
      await step?.("skill:notes/SKILL.md@abc", async () => ({ skill: "notes", file: "SKILL.md", sha256: "abcdef" }));
      return text;
    },
  });
  const other = defineTool({
    name: "other",
    description: "x",
    run: async (_input, { step }) => await step?.("skill", async () => ({ skill: "notes" })),
  });
  const store = new MemoryStore();
  await sessionOf(store, [calls("use_skill", "other"), say("Done.")], { tools: [useSkill, other] }).send("Go.");
  const fold = await foldOf(store);
  const details = readTurn(fold, fold.overview().runs[0]?.runId ?? "", 1);
  expect(details?.calls.map(({ skill }) => skill)).toEqual([
    { name: "notes", file: "SKILL.md", sha256: "abcdef", tokens: 1004 },
    undefined,
  ]);
});
