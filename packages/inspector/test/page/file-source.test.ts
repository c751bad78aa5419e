import { expect, test } from "vitest";
import { FileSource } from "../../page/src/source/file-source.ts";

const RUN = { v: 3, at: 1, type: "run", runId: "r", model: "gemini-3.8-flash", input: [{ parts: [{ text: "Hi" }] }] };
const END = { v: 3, at: 2, type: "end", runId: "r", stopReason: "limit", usage: { totalTokens: 7 }, turns: 0 };
// Core reads no history without parts.
const DAMAGED = { v: 3, at: 3, type: "history" };

function fileOf(name: string, ...entries: readonly object[]): { readonly name: string; readonly text: string } {
  return { name, text: entries.map((entry) => JSON.stringify(entry)).join("\n") };
}

const source = new FileSource([fileOf("whole.jsonl", RUN, END), fileOf("torn.jsonl", DAMAGED, RUN, END, DAMAGED)]);

test("dropped files are listed, filtered and searched like a store's sessions", async () => {
  const { sessions } = await source.sessions({});
  expect(sessions.map(({ id, ending, totalTokens }) => ({ id, ending, totalTokens }))).toEqual([
    { id: "torn", ending: "limit", totalTokens: 7 },
    { id: "whole", ending: "limit", totalTokens: 7 },
  ]);
  expect((await source.sessions({ search: "who" })).sessions).toHaveLength(1);
  expect((await source.sessions({ state: "done" })).sessions).toEqual([]);
});

test("totals count the readable part of any log", async () => {
  expect(await source.totals(new URLSearchParams())).toMatchObject({ sessions: 2 });
});

test("views that a file doesn't have are refused with the reason", async () => {
  await expect(source.overview("nobody")).rejects.toMatchObject({ code: "not_found" });
  await expect(source.turn("whole", "r", 9)).rejects.toMatchObject({ code: "not_found" });
  await expect(source.evals("", "")).rejects.toMatchObject({ code: "not_found" });
  await expect(source.act("whole", "stop", {})).rejects.toMatchObject({ code: "read_only" });
  await expect(source.view("whole", "replay")).rejects.toMatchObject({ code: "read_only" });
});
