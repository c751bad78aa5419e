import { Agent, defineTool } from "@pollux/core";
import { calls, finishes, say, ScriptedModel, turn } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { SESSION_FACES } from "./session-faces.ts";

describe.each(SESSION_FACES)("a run that ended in the middle of its calls, read by %s", (_face, face) => {
  test.each(["STOP", "FUNCTION_CALL", "tool_calls", "UNEXPECTED_TOOL_CALL"])(
    "keeps calls that ended with %s in the history, and goes on with them",
    async (reason) => {
      const abort = new AbortController();
      const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });
      const wait = defineTool({
        name: "wait",
        description: "Waits.",
        run: () => (abort.signal.aborted ? "done" : (abort.abort(new Error("enough")), new Promise<string>(() => {}))),
      });
      const model = new ScriptedModel(turn(calls(["look"], ["wait"]), finishes(reason)), say("Done."));
      const session = new Agent({ model, tools: [look, wait] }).session();
      await expect(face.send(session, "Go.", { signal: abort.signal })).rejects.toThrow("enough");
      const asked = {
        role: "model",
        parts: [{ functionCall: { name: "look", args: {} } }, { functionCall: { name: "wait", args: {} } }],
      };
      expect((await session.history())[1]).toEqual(asked);
      const result = await face.resume(session);
      expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
      expect(result.contents[1]).toEqual(asked);
    },
  );
});
