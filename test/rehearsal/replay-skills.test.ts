import { join } from "node:path";
import { Agent, type AgentOptions, endpoint, gemini, MemoryStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { changedCalls, type Recording, replayRun } from "@pollux/core/rehearsal";
import { call, createEmulator, type Emulator, say, script } from "@pollux/emulator";
import { loadSkills } from "@pollux/tools/skills";
import { expect, test } from "vitest";
import { folderWith, skillText, writeFiles } from "../../packages/tools/test/skills/skill-folders.ts";

/** An agent with the current skills, and a recording of reading one. */
async function record(folder: string): Promise<Recording> {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges);
  const brain = script([call("use_skill", { name: "s" }), say("Done.")]);
  const agent = await agentFor(folder, { emulator: createEmulator({ brain }), observers: [keeper] });
  await agent.session({ id: "s", store }).send("Go.");
  await keeper.flush();
  return { log: await store.load("s"), exchanges: await exchanges.load("s") };
}

async function agentFor(
  folder: string,
  { emulator, observers }: { readonly emulator?: Emulator; readonly observers?: AgentOptions["observers"] } = {},
): Promise<Agent> {
  const { instructions, tool } = await loadSkills(folder);
  const service = endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "emulator-key" });
  const fetch = emulator && ((...request: Parameters<typeof globalThis.fetch>) => emulator.fetch(...request));
  const model = gemini("gemini-3.5-flash", { endpoint: service, fetch });
  return new Agent({ model, instructions, tools: [tool], observers });
}

test("a replay sends the same bytes, reads no file, and says when a skill has changed", async () => {
  const folder = await folderWith({ "s/SKILL.md": skillText("s"), "t/SKILL.md": skillText("t") });
  const recording = await record(folder);
  expect(await replayRun(await agentFor(folder), recording)).toMatchObject({ isSame: true, requests: 2 });

  // A skill that the run did not use.
  await writeFiles(folder, { "t/SKILL.md": skillText("t", { body: "Do more." }) });
  expect(await replayRun(await agentFor(folder), recording)).toMatchObject({ isSame: true, requests: 2 });

  await writeFiles(folder, { "s/SKILL.md": skillText("s", { body: "Do less." }) });
  const change = expect.stringMatching(
    /^call:1\.0 \(use_skill\) read something that has changed: SKILL\.md of the skill s has changed: sha256 [0-9a-f]{12} then, [0-9a-f]{12} now$/,
  );
  const changed = await agentFor(folder);
  const report = await replayRun(changed, recording);
  expect(report).toEqual({ runId: expect.any(String), requests: 2, isSame: false, problem: change });
  expect(await changedCalls(changed, recording.log)).toEqual([change]);
  expect(await changedCalls(changed, recording.log, "another run")).toEqual([]);
  expect(await changedCalls(new Agent({ model: "gemini-3.5-flash" }), recording.log)).toEqual([]);
});

test("another description changes the request, which the replay shows", async () => {
  const folder = await folderWith({ "s/SKILL.md": skillText("s") });
  const recording = await record(folder);
  await writeFiles(folder, { "s/SKILL.md": skillText("s", { description: "Does more." }) });
  const { isSame, difference } = await replayRun(await agentFor(folder), recording);
  expect({ isSame, field: difference?.field }).toEqual({ isSame: false, field: "systemInstruction.parts[0].text" });
});

test("the head of the request is the same for the whole of a session, whatever is read", async () => {
  const folder = await folderWith({
    "s/SKILL.md": skillText("s"),
    "s/more.md": "More.",
    "t/SKILL.md": skillText("t"),
  });
  const lines = [
    call("use_skill", { name: "s" }),
    call("use_skill", { name: "s", file: "more.md" }),
    call("use_skill", { name: "t" }),
    say("Done."),
  ];
  const emulator = createEmulator({ brain: script(lines) });
  const agent = await agentFor(folder, { emulator });
  await writeFiles(join(folder, "t"), { "SKILL.md": skillText("t", { description: "Says something else now." }) });
  await agent.session().send("Go.");
  const bodies = emulator.requests.map(({ body }) => body as { systemInstruction: unknown; tools: unknown });
  expect(bodies).toHaveLength(4);
  expect(new Set(bodies.map(({ systemInstruction, tools }) => JSON.stringify([systemInstruction, tools]))).size).toBe(
    1,
  );
});
