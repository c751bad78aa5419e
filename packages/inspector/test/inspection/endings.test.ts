import { type AgentOptions, MemoryStore } from "@pollux/core";
import {
  blocked,
  call,
  calls,
  empty,
  fails,
  finishes,
  join,
  malformed,
  say,
  type ScriptLine,
} from "@pollux/core/testing";
import { expect, test } from "vitest";
import { endingOf, ENDINGS, isBadEnding } from "../../src/inspection/endings.ts";
import type { SessionPage } from "../../src/inspection/inspection.ts";
import { inspectorHandler } from "../../src/server/inspector-handler.ts";
import { foldOf, sessionOf } from "../support/sessions.ts";

const again = call("add", { a: 1, b: 1 });
const CASES: readonly (readonly [ending: string, script: readonly ScriptLine[], options?: Partial<AgentOptions>])[] = [
  ["finished", [say("Done.")]],
  ["blocked", [blocked()]],
  ["truncated", [finishes("MAX_TOKENS")]],
  ["repeated-calls", [again, again, again, again, again, again]],
  ["limit", [again, say("2")], { limits: { turns: 1 } }],
  ["failed", [fails(new Error("the service is gone"))]],
  ["empty", Array.from({ length: 8 }, empty)],
  ["bad-call", Array.from({ length: 8 }, () => malformed())],
  ["unknown-finish", [join(say("What?"), finishes("NEWEST"))]],
  [
    "guardrail",
    [say("Done.")],
    { guardrails: { input: [{ name: "never", check: () => ({ stop: "It is not allowed." }) }] } },
  ],
  ["waiting", [call("pay", { amount: 3 })]],
];

test("a session has the ending that its last run had, in the list and in all its heads", async () => {
  const store = new MemoryStore();
  for (const [id, script, options] of CASES)
    await sessionOf(store, script, { id, ...options })
      .send("Go.")
      .catch(() => undefined);
  const handler = inspectorHandler({ store, authorize: () => true });
  const list = async (query: string): Promise<SessionPage["sessions"]> => {
    const response = await handler(new Request(`http://localhost/inspector/api/sessions?${query}`));
    return ((await response.json()) as SessionPage).sessions;
  };
  const all = await list("");
  expect(Object.fromEntries(all.map(({ id, ending }) => [id, ending]))).toEqual(
    Object.fromEntries(CASES.map(([id]) => [id, id])),
  );
  for (const [id] of CASES)
    expect((await foldOf(store, id)).overview()).toMatchObject({ ending: id, runs: [{ ending: id }] });
  const ids = async (state: string): Promise<readonly string[]> =>
    (await list(`state=${state}`)).map(({ id }) => id).toSorted();
  expect(await ids("done")).toEqual(["finished"]);
  expect(await ids("waiting")).toEqual(["waiting"]);
  expect(await ids("blocked")).toEqual(["blocked"]);
  expect(await ids("problem")).toEqual(
    CASES.map(([id]) => id)
      .filter(isBadEnding)
      .toSorted(),
  );
});

test("each ending has a name of its own, except the two good ones", () => {
  const titles = Object.values(ENDINGS).map(([title]) => title);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual(["Done"]);
});

test("a run without an end is running or cut off, and one that waited before the next one is no failure", async () => {
  const store = new MemoryStore();
  const session = sessionOf(store, [call("pay", { amount: 3 }), say("Hello.")]);
  await session.send("Pay.");
  await session.send("Never mind.");
  const fold = await foldOf(store);
  expect(fold.overview().runs.map(({ ending }) => ending)).toEqual(["needs-approval", "finished"]);
  expect(isBadEnding("needs-approval")).toBe(false);
  expect([endingOf("running", undefined), endingOf("stopped", undefined), endingOf("done", undefined)]).toEqual([
    "running",
    "ended early",
    undefined,
  ]);
});

test("same, repeated and cut-off calls are flagged", async () => {
  const flagsOf = async (script: readonly ScriptLine[]) => {
    const store = new MemoryStore();
    await sessionOf(store, script)
      .send("Go.")
      .catch(() => undefined);
    return (await foldOf(store)).overview().runs[0]?.turns.map(({ flags }) => flags);
  };
  const twice = calls({ name: "add", args: { a: 1, b: 2 } }, { name: "add", args: { a: 1, b: 2 } });
  expect(await flagsOf([twice, say("3")])).toEqual([["same-calls"], []]);
  const other = calls({ name: "add", args: { a: 1, b: 2 } }, { name: "add", args: { a: 2, b: 1 } });
  expect(await flagsOf([other, say("3")])).toEqual([[], []]);
  const both = calls("fail", { name: "add", args: { a: 1, b: 2 } });
  expect(await flagsOf([call("fail"), both, say("No")])).toEqual([["call-failed"], ["call-failed", "call-again"], []]);
  expect(await flagsOf([again, both, say("No")])).toEqual([[], ["call-failed"], []]);
  // The call of an answer that was cut off isn't run, so no tool has failed.
  const cut = join(again, finishes("MAX_TOKENS"));
  expect(await flagsOf([cut, again, say("2")])).toEqual([["truncated"], ["repeated-calls"], []]);
});
