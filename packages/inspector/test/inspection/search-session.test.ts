import { MemoryStore } from "@pollux/core";
import { call, say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { FileSource } from "../../page/src/source/file-source.ts";
import { searchSession } from "../../src/inspection/search-session.ts";
import { SessionFold } from "../../src/inspection/session-fold.ts";
import { longLog } from "../support/long-log.ts";
import { inspect } from "../support/inspected.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";

async function searched() {
  const store = new MemoryStore();
  const session = sessionOf(store, [
    call("add", { a: 41, b: 2 }),
    say("It is 43."),
    call("fail"),
    say(`A "quoted" answer:\n${"long ".repeat(100)}and the end of it`),
  ]);
  await session.send("What is the sum of them?");
  await session.send("And what about Oslo?");
  return { store, fold: await foldOf(store) };
}

test.each<[query: string, turns: readonly number[]]>([
  ["sum", [1]],
  ["SUM of", [1]],
  ["add", [1]],
  ["41", [1]],
  ["43", [1, 2]],
  ["the disk is full", [3]],
  ["oslo", [3]],
  ['"quoted"', [4]],
  ["end of it", [4]],
  ["thoughtSignature", []],
  ["user", []],
  ["model", []],
  ["sum oslo", []],
  ["  ", []],
])("%j is found in turns %j", async (query, turns) => {
  const { fold } = await searched();
  expect(searchSession(fold, query).map(({ number }) => number)).toEqual(turns);
});

test("a match has the turn's place, and the text around the first word", async () => {
  const { fold } = await searched();
  expect(searchSession(fold, "end")).toEqual([
    { runId: fold.runs[1]?.runId, turn: 2, number: 4, text: `…ng long and the end of it` },
  ]);
});

test("a server and a dropped file find the same", async () => {
  const { store, fold } = await searched();
  const asked = await inspect({ store }).view("search", { q: "disk" });
  expect(asked).toEqual(searchSession(fold, "disk"));
  const text = (await store.load("chat-1")).map((entry) => JSON.stringify(entry)).join("\n");
  const file = new FileSource([{ name: "chat-1.jsonl", text }]);
  expect(await file.view("chat-1", "search", { q: "disk" })).toEqual(asked);
});

test("of very many turns, the first are found", () => {
  const fold = new SessionFold("long");
  for (const entry of longLog(600)) fold.add(entry);
  const found = searchSession(fold, "add");
  expect([found.length, found.at(-1)?.number]).toEqual([500, 500]);
});

test("the list of a dropped file finds it by its tools", async () => {
  const { store } = await searched();
  const text = (await store.load("chat-1")).map((entry) => JSON.stringify(entry)).join("\n");
  const file = new FileSource([{ name: "chat-1.jsonl", text }]);
  expect(await file.sessions({ search: "ADD" })).toMatchObject({ sessions: [{ id: "chat-1" }] });
  expect(await file.sessions({ search: "get_weather" })).toEqual({ sessions: [] });
});
