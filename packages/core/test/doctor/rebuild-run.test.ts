import { Agent, defineTool, type Json, MemoryStore } from "@pollux/core";
import { repairSession } from "@pollux/core/doctor";
import { calls, finishes, say, ScriptedModel, join } from "@pollux/core/testing";
import { expect, test } from "vitest";

const LOOK = { functionCall: { name: "look", args: {} } };
const SEEN = { functionResponse: { name: "look", response: { output: "seen" } } };

const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });

const user = (text: string) => ({ role: "user", parts: [{ text }] });
const says = (text: string) => ({ role: "model", parts: [{ text }] });

test.each(["STOP", "FUNCTION_CALL", "tool_calls", "UNEXPECTED_TOOL_CALL"])(
  "a run whose end is lost keeps calls that ended with %s, and their answers",
  async (reason) => {
    const model = new ScriptedModel(join(calls("look", "look"), finishes(reason)), say("Done."), say("Bye."));
    const store = new MemoryStore();
    const session = new Agent({ model, tools: [look] }).session({ id: "s", store });
    await session.send("Go.");
    await session.send("Thanks.");
    const log = (await store.load("s")) as readonly { readonly type?: string }[];
    const lost = log.findIndex(({ type }) => type === "end");

    const { entries, refused } = repairSession(log.toSpliced(lost, 1).map((value) => ({ value })));
    expect(refused).toBeUndefined();
    const repaired = new MemoryStore();
    await repaired.append("s", 0, entries as unknown as readonly Json[]);
    const history = await new Agent({ model }).session({ id: "s", store: repaired }).history();
    expect(history).toEqual([
      user("Go."),
      { role: "model", parts: [LOOK, LOOK] },
      { role: "user", parts: [SEEN, SEEN] },
      says("Done."),
      user("Thanks."),
      says("Bye."),
    ]);
  },
);
