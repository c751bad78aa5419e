import { MemoryStore } from "@pollux/core";
import { say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import type { ShownCase } from "../../src/evals/make-case.ts";
import { type CaseDraft, inspectorHandler, type InspectorOptions, type RunForCase } from "../../src/index.ts";
import { inspect } from "../support/inspected.ts";
import { sessionOf } from "../support/sessions.ts";

const CHANGE = { where: "log[0].input[0].parts[0].text", was: "I am Ada", is: "I am Kim" };

async function caseMaker(change: Partial<CaseDraft> = {}) {
  const store = new MemoryStore();
  await sessionOf(store, [say("Hello")]).send("I am Ada");
  const [asked, written]: [RunForCase[], string[]] = [[], []];
  const makeCase = async (run: RunForCase): Promise<CaseDraft> => {
    asked.push(run);
    if (run.suite === "none") throw new TypeError('There is no suite "none".');
    const folder = `cases/${run.sessionId}`;
    return { folder, differences: [CHANGE], ...change, write: () => void written.push(folder) };
  };
  return { store, asked, written, makeCase };
}

test("a case is shown first, and written exactly as shown", async () => {
  const { store, asked, written, makeCase } = await caseMaker();
  const inspected = inspect({ store, makeCase, allowActions: true });
  const shown = await inspected.act<ShownCase>("make-case", { runId: "run-1", suite: "" });
  const { draft, ...rest } = shown;
  expect(rest).toEqual({ folder: "cases/chat-1", differences: [CHANGE], isWritten: false });
  expect(written).toEqual([]);
  expect(await inspected.act("make-case", { runId: "run-1", suite: "support", draft })).toEqual({
    ...shown,
    isWritten: true,
  });
  expect(written).toEqual(["cases/chat-1"]);
  expect(asked).toEqual([
    { sessionId: "chat-1", runId: "run-1" },
    { sessionId: "chat-1", runId: "run-1", suite: "support" },
  ]);
});

test("a case that has changed since is not written", async () => {
  const change: { differences: CaseDraft["differences"] } = { differences: [CHANGE] };
  const { store, written, makeCase } = await caseMaker();
  const changing = async (run: RunForCase): Promise<CaseDraft> => ({ ...(await makeCase(run)), ...change });
  const inspected = inspect({ store, makeCase: changing, allowActions: true });
  const { draft } = await inspected.act<ShownCase>("make-case", { runId: "run-1" });
  change.differences = [CHANGE, { ...CHANGE, where: "log[2]" }];
  await expect(inspected.act("make-case", { runId: "run-1", draft })).rejects.toThrow(
    "409 changed: The case is no longer",
  );
  expect(written).toEqual([]);
});

test("a case with a problem is shown with it, and never written", async () => {
  const { store, written, makeCase } = await caseMaker({ problem: "The run has not ended." });
  const inspected = inspect({ store, makeCase, allowActions: true });
  const shown = await inspected.act<ShownCase>("make-case", { runId: "run-1" });
  expect(shown).toMatchObject({ problem: "The run has not ended.", isWritten: false });
  await expect(inspected.act("make-case", { runId: "run-1", draft: shown.draft })).rejects.toThrow("409 changed");
  expect(written).toEqual([]);
});

test("a run that can't become a case is refused with the maker's message", async () => {
  const { store, makeCase } = await caseMaker();
  const inspected = inspect({ store, makeCase, allowActions: true });
  await expect(inspected.act("make-case", { suite: "none" })).rejects.toThrow('400 invalid: There is no suite "none".');
});

test("the action needs a maker and permission", async () => {
  const { store, makeCase, asked } = await caseMaker();
  await expect(inspect({ store, makeCase }).act("make-case", {})).rejects.toThrow("403 read_only");
  await expect(inspect({ store, allowActions: true }).act("make-case", {})).rejects.toThrow("409 no_suite");
  expect(asked).toEqual([]);
  const actions = async (options: Partial<InspectorOptions>): Promise<readonly string[]> => {
    const handler = inspectorHandler({ store, allowActions: true, authorize: () => true, ...options });
    const about = await (await handler(new Request("http://localhost/inspector/api/about"))).json();
    return (about as { readonly actions: readonly string[] }).actions;
  };
  expect(await actions({})).not.toContain("make-case");
  expect(await actions({ makeCase })).toContain("make-case");
});
