import { Agent, defineTool, type Json, MemoryStore, type SessionEntry } from "@pollux/core";
import { call, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { LogFold } from "../../src/conversation/fold/log-fold.ts";

const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });

/** The log of one run with so many turns, each with a call. */
async function logOf(turns: number): Promise<readonly SessionEntry[]> {
  const store = new MemoryStore();
  const model = new ScriptedModel(...Array.from({ length: turns }, () => call("look", {})));
  const agent = new Agent({ model, tools: [look], limits: { turns, repeats: Infinity } });
  await agent.session({ id: "s", store }).send("Look around.");
  return (await store.load("s")) as unknown as readonly SessionEntry[];
}

/** A value that counts how often a member of it, or of what is in it, is read. */
function counted<Value>(value: Value, count: () => void): Value {
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, counted(member as Json, count)]);
  const copy = Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members);
  const read: ProxyHandler<object>["get"] = (target, name, self) => {
    count();
    return Reflect.get(target, name, self);
  };
  return new Proxy(copy, { get: read }) as Value;
}

/** Reads of what was read before, while the entries of the last turn are added. */
async function readsOfOld(turns: number): Promise<number> {
  const log = await logOf(turns);
  let reads = 0;
  const last = log.findLastIndex((entry) => entry.type === "step" && entry.place.kind === "model");
  const fold = new LogFold("s");
  for (const entry of log.slice(0, last)) fold.addEntry(counted(entry, () => reads++));
  expect(reads).toBeGreaterThan(10 * turns);
  reads = 0;
  const added = log.slice(last, -1);
  expect(added.length).toBeGreaterThan(1);
  for (const entry of added) fold.addEntry(entry);
  expect(fold.conversation.messages.at(-1)?.parts.length).toBeGreaterThanOrEqual(2 * turns);
  return reads;
}

test("an entry that is added to a conversation reads nothing again of earlier turns, however many there are", async () => {
  expect(await readsOfOld(60)).toBe(await readsOfOld(5));
});
