import { Agent, defineJob, MemoryStore } from "@pollux/core";
import { recordedCalls } from "@pollux/core/rehearsal";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { forkLog } from "../../src/fork/fork-log.ts";
import { compareBranches } from "../../src/inspection/compare-branches.ts";
import { readTurn } from "../../src/inspection/read-turn.ts";
import type { SessionFold } from "../../src/inspection/session-fold.ts";
import { foldOf } from "../support/sessions.ts";

/** A session whose run waits for a job. */
async function waiting() {
  const store = new MemoryStore();
  const render = defineJob({ name: "render", description: "x", start: () => "job-1", cancel: () => {} });
  const model = new ScriptedModel(call("render"), say("Done."), say("Bye."));
  const session = new Agent({ model, tools: [render] }).session({ id: "chat-1", store });
  await session.send("Render it.", { runId: "run-1" });
  return { store, session };
}

/** The response to the first call, as comparisons and HTML files show it. */
function responseIn(fold: SessionFold): unknown {
  return compareBranches(fold, fold, { isWhole: true }).rows[0]?.left?.calls[0]?.response;
}

test("a run that waits for a job says so, with its progress", async () => {
  const { store, session } = await waiting();
  const [asked] = (await session.state()).pending;
  await session.reportJob("job-1", { progress: { percent: 40 } });
  await session.reportJob("job-1", { progress: { percent: 80 } });
  const { state, pending, runs, problems } = (await foldOf(store)).overview();
  const { since, until } = asked?.job ?? {};
  expect({ state, problems }).toEqual({ state: "waiting", problems: [] });
  expect(pending).toMatchObject([
    { question: "job", name: "render", job: { jobId: "job-1", since, until, progress: { percent: 80 } } },
  ]);
  expect(runs[0]?.turns[0]?.steps).toMatchObject([
    { kind: "model" },
    { kind: "call", state: "ok", detail: "started job job-1" },
    { kind: "wait", label: "render", state: "waiting", detail: 'progress: {"percent":80}' },
  ]);
  const { calls, responses } = readTurn(await foldOf(store), "run-1", 1) ?? {};
  expect(calls).toMatchObject([{ state: "waiting", response: undefined, failure: undefined }]);
  expect(responses).toEqual([]);
  expect(responseIn(await foldOf(store))).toBeUndefined();
});

test("its outcome is the call's, also in a fork", async () => {
  const { store, session } = await waiting();
  await session.reportJob("job-1", { progress: { percent: 40 } });
  await session.reportJob("job-1", { output: { frames: 240 } });
  const stored = (await foldOf(store)).overview();
  expect(stored.pending).toEqual([]);
  expect(responseIn(await foldOf(store))).toEqual({ output: { frames: 240 } });
  await session.continue();
  const fold = await foldOf(store);
  const run = fold.run("run-1");
  if (run === undefined) throw new Error("there is no run");
  const { problems, runs } = fold.overview();
  expect(problems).toEqual([]);
  expect(runs[0]?.turns[0]?.steps.at(-1)).toMatchObject({ kind: "wait", detail: "answered with an output" });
  expect(readTurn(fold, "run-1", 1)?.calls).toMatchObject([{ state: "ok", response: { output: { frames: 240 } } }]);
  expect(recordedCalls(fold.entries, run.runId)).toMatchObject([
    { name: "render", response: { output: { frames: 240 } } },
  ]);

  const fork = async (request: { readonly turn: number; readonly results?: { readonly "call:1.0": string } }) => {
    const { entries } = forkLog(fold, run, { runId: "run-1", answers: "emulator", ...request }, "run-2");
    const forked = new MemoryStore();
    await forked.append("f", 0, entries);
    const model = new ScriptedModel(say("Forked."));
    const agent = new Agent({ model, tools: [defineJob({ name: "render", description: "x", start: () => "job-2" })] });
    const { text } = await agent.session({ id: "f", store: forked }).resume();
    return { text, told: JSON.stringify(model.requests.at(-1)?.contents.at(-1)) };
  };
  const kept = await fork({ turn: 2 });
  expect(kept.text).toBe("Forked.");
  expect(kept.told).toContain('"frames":240');
  const changed = await fork({ turn: 2, results: { "call:1.0": "no film" } });
  expect(changed.told).toContain("no film");
  expect(changed.told).not.toContain("frames");
  // The job belongs to the turn that is made again.
  const dropped = await fork({ turn: 1 });
  expect(dropped.told).not.toContain("frames");
});

test("an abandoned job is no problem of the next run", async () => {
  const { store, session } = await waiting();
  await session.send("Never mind.");
  const { problems, runs, pending } = (await foldOf(store)).overview();
  expect({ problems, pending }).toEqual({ problems: [], pending: [] });
  expect(runs[0]?.turns[0]?.steps.at(-1)).toMatchObject({
    kind: "wait",
    state: "denied",
    detail: "withdrawn: another message came, cancelled",
  });
});
