import { mkdtemp, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { Agent, type Json, MemoryStore } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { sessionCase, sessionCaseFiles, writeSessionCase } from "@pollux/evals";
import { expect, onTestFinished, test } from "vitest";

async function writtenCase(name = "order-9"): Promise<{ readonly folder: string; readonly log: readonly Json[] }> {
  const parent = await mkdtemp(join(tmpdir(), "pollux-case-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const store = new MemoryStore();
  await new Agent({ model: new ScriptedModel(say("On Friday.")) }).session({ id: "s", store }).send("When?");
  const log = await store.load("s");
  const { runId, at } = log[0] as { runId: string; at: number };
  const folder = join(parent, name);
  const about = { v: 1, runId, turn: 1, tags: ["orders"], recordedAt: at, agent: "support", scrubbed: true } as const;
  writeSessionCase(folder, sessionCaseFiles({ log, exchanges: [] }, about));
  return { folder, log };
}

test("a folder that was written is a case, named for the folder, whatever names the folder", async () => {
  const { folder, log } = await writtenCase();
  const { runId } = log[0] as { runId: string };
  const expected = { id: "order-9", turn: 1, tags: ["orders"], runId, recording: { log, exchanges: [] } };
  expect(sessionCase(folder)).toEqual(expected);
  expect(sessionCase(relative(process.cwd(), folder))).toEqual(expected);
  expect(sessionCase(pathToFileURL(`${folder}/`))).toEqual(expected);
});

test("what the suite says has priority over the file", async () => {
  const { folder } = await writtenCase();
  const scorers = [() => true];
  const options = { id: "late", turn: 2, turns: 1, tags: [], expected: "Friday", cluster: "anna", scorers };
  expect(sessionCase(folder, options)).toMatchObject(options);
});

test("a case without exchanges.jsonl has no requests", async () => {
  const { folder } = await writtenCase();
  await unlink(join(folder, "exchanges.jsonl"));
  expect(sessionCase(folder).recording.exchanges).toEqual([]);
});

const ABOUT = { v: 1, runId: "r", recordedAt: 1, agent: "a", scrubbed: true };

test.each([
  ["case.json", "{", "in JSON at position 1"],
  ["case.json", JSON.stringify({ ...ABOUT, v: 2 }), "its v is 2; this release reads version 1"],
  ["case.json", JSON.stringify({ ...ABOUT, runId: undefined }), "its runId is missing"],
  ["case.json", JSON.stringify({ ...ABOUT, scrubbed: false }), "it does not say scrubbed: true"],
  ["case.json", JSON.stringify({ ...ABOUT, turn: 0 }), "its turn and turns must be integers from 1"],
  ["case.json", JSON.stringify({ ...ABOUT, tags: "x" }), "its tags must be a list of texts"],
  ["case.json", JSON.stringify({ ...ABOUT, metadata: [] }), "its metadata must be an object"],
  ["case.json", JSON.stringify(ABOUT), "it has no run r, which case.json names"],
  ["log.jsonl", '{"v":3}\n{', "line 2 is not JSON"],
  ["exchanges.jsonl", "\nnot", "line 2 is not JSON"],
])("%s with %s says that %s", async (name, text, problem) => {
  const { folder } = await writtenCase();
  await writeFile(join(folder, name), text);
  expect(() => sessionCase(folder)).toThrow(problem);
  expect(() => sessionCase(folder)).toThrow('Make the case again with "pollux eval add", or take it out of the suite.');
});

test("a folder that is not there is named", () => {
  expect(() => sessionCase("no/such/case")).toThrow(join(process.cwd(), "no/such/case/case.json"));
});

test("a case is not written over another one", async () => {
  const { folder } = await writtenCase();
  expect(() => writeSessionCase(folder, [])).toThrow(`${folder} is a case already: give this one another id`);
});
