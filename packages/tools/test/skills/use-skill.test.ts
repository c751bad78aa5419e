import { createHash } from "node:crypto";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Agent, type Json, MemoryStore, type RunResult } from "@pollux/core";
import { recordedCalls } from "@pollux/core/rehearsal";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { shellTool } from "@pollux/tools/shell";
import { changedSkills, loadSkills, type LoadSkillsOptions, type Skills } from "@pollux/tools/skills";
import { describe, expect, test } from "vitest";
import { FORMS } from "./published-forms.ts";
import { folderWith, skillText, writeFiles } from "./skill-folders.ts";

const FACES = {
  run: (agent: Agent): Promise<RunResult> => agent.run("Go."),
  stream: async (agent: Agent): Promise<RunResult> => {
    const stream = agent.stream("Go.");
    for await (const event of stream) void event;
    return await stream.result();
  },
};

/** What the model reads of each of these calls. */
async function useSkills(skills: Skills, face: keyof typeof FACES, ...asked: readonly object[]): Promise<unknown[]> {
  const model = new ScriptedModel(...asked.map((args) => call("use_skill", { ...args })), say("Done."));
  const { tool, instructions } = skills;
  const { added } = await FACES[face](new Agent({ model, instructions, tools: [tool], limits: { repeats: Infinity } }));
  return responsesIn(added);
}

function responsesIn(contents: RunResult["added"]): unknown[] {
  return contents.flatMap(({ parts }) =>
    parts.flatMap(({ functionResponse }) => (functionResponse === undefined ? [] : [functionResponse.response])),
  );
}

const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

describe.each(["run", "stream"] as const)("with %s, the model reads", (face) => {
  test("the text of each published form, without its frontmatter, and which files there are", async () => {
    const folder = await folderWith();
    for (const [name, { files }] of Object.entries(FORMS)) await writeFiles(join(folder, name), files);
    const names = Object.keys(FORMS);
    const responses = await useSkills(await loadSkills(folder), face, ...names.map((name) => ({ name })));
    expect(responses).toEqual(
      names.map((name) => {
        const { files = {}, body } = FORMS[name] ?? {};
        const others = Object.keys(files)
          .filter((path) => path !== "SKILL.md")
          .toSorted();
        return { output: { skill: name, text: body, ...(others.length > 0 && { files: others }) } };
      }),
    );
  });

  test("files of a skill, and nothing outside its folder", async () => {
    const folder = await folderWith({
      "secret.txt": "secret",
      "skills/other/SKILL.md": skillText("other"),
      "skills/s/SKILL.md": skillText("s"),
      "skills/s/references/terms.md": "Net 30.\r\n",
      "skills/s/assets/logo.png": Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0),
      "skills/s/big.txt": "x".repeat(2001),
    });
    await symlink(join(folder, "secret.txt"), join(folder, "skills/s/link.txt"));
    await symlink(folder, join(folder, "skills/s/up"));
    await symlink("references/terms.md", join(folder, "skills/s/inside.md"));
    const skills = await loadSkills(join(folder, "skills"), { maxBytes: 2000 });
    const files = [
      "references/terms.md",
      "./references//terms.md",
      "inside.md",
      "SKILL.md",
      "../../secret.txt",
      "../other/SKILL.md",
      join(folder, "secret.txt"),
      "link.txt",
      "up/secret.txt",
      "references",
      "gone.md",
      "assets/logo.png",
      "big.txt",
    ];
    const terms = { output: { skill: "s", file: "references/terms.md", text: "Net 30.\n" } };
    const listed = ["assets/logo.png", "big.txt", "references/terms.md"];
    expect(await useSkills(skills, face, ...files.map((file) => ({ name: "s", file })))).toEqual([
      terms,
      terms,
      { output: { skill: "s", file: "inside.md", text: "Net 30.\n" } },
      { output: { skill: "s", text: "Do it.", files: listed } },
      { error: expect.stringContaining('"../../secret.txt" may point outside the folder') },
      { error: expect.stringContaining('"../other/SKILL.md" may point outside the folder') },
      { error: expect.stringContaining("is absolute; use a path inside the folder") },
      { error: expect.stringContaining('"link.txt" is a link that points outside the folder and is not followed') },
      {
        error: expect.stringContaining('"up/secret.txt" is a link that points outside the folder and is not followed'),
      },
      { error: expect.stringContaining("is a folder") },
      {
        error: expect.stringContaining('"gone.md" is not in the skill s; call use_skill without file to see its files'),
      },
      { error: expect.stringContaining('"assets/logo.png" is not text but a PNG image of 6 bytes') },
      { error: expect.stringContaining('"big.txt" has 2001 bytes, more than the limit of 2000') },
    ]);
  });
});

test("a skill that does not exist is refused by the schema, and names are of one skill only", async () => {
  const skills = await loadSkills(await folderWith({ "s/SKILL.md": skillText("s") }));
  const [response] = await useSkills(skills, "run", { name: "t" });
  expect(response).toEqual({ error: expect.stringContaining("name") });
});

test("of many files, the first hundred are listed", async () => {
  const files = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`s/${1000 + index}.md`, "x"]));
  const skills = await loadSkills(await folderWith({ "s/SKILL.md": skillText("s"), ...files }));
  const [response] = (await useSkills(skills, "run", { name: "s" })) as [{ output: { files: string[]; note: string } }];
  expect(response.output.files).toEqual(Array.from({ length: 100 }, (_, index) => `${1000 + index}.md`));
  expect(response.output.note).toBe("only the first 100 files are listed");
});

/** An agent with a skill whose script it is to run, and what its person is asked. */
async function withScript(options?: LoadSkillsOptions): Promise<{ asked: object[]; result: RunResult }> {
  const folder = await folderWith({
    "count/SKILL.md": `---\nname: count\ndescription: Counts.\nallowed-tools: run_command use_skill\n---\nRun scripts/count.sh.\n`,
    "count/scripts/count.sh": "#!/bin/sh\necho 7 > made\n",
  });
  const skills = await loadSkills(folder, options);
  const asked: object[] = [];
  const agent = new Agent({
    model: new ScriptedModel(
      call("use_skill", { name: "count" }),
      call("use_skill", { name: "count", file: "scripts/count.sh" }),
      call("run_command", { command: "sh count/scripts/count.sh" }),
      call("use_skill", { name: "count" }),
      say("Done."),
    ),
    instructions: skills.instructions,
    tools: [skills.tool, shellTool({ cwd: folder })],
    approve: ({ call: { name }, because }) => {
      asked.push({ name, because: because?.untrusted });
      return { deny: "no" };
    },
    limits: { repeats: Infinity },
  });
  return { asked, result: await agent.run("Count.") };
}

test("a script is only text: running it takes a shell and a person, whatever the skill allows itself", async () => {
  const { asked, result } = await withScript();
  expect(asked).toEqual([{ name: "run_command", because: ["use_skill scripts/count.sh", "use_skill"] }]);
  const responses = responsesIn(result.added);
  expect(responses).toMatchObject([
    { output: { files: ["scripts/count.sh"] } },
    { output: { file: "scripts/count.sh", text: "#!/bin/sh\necho 7 > made\n" } },
    { error: expect.stringContaining("no") },
    // The script has made nothing.
    { output: { files: ["scripts/count.sh"] } },
  ]);
});

test("skills that their author trusts bring nothing untrusted, and the shell still asks", async () => {
  const { asked, result } = await withScript({ reads: "trusted" });
  expect(asked).toEqual([{ name: "run_command", because: undefined }]);
  expect(result.stopReason).toBe("finished");
});

/** A session that reads a skill and one of its files. */
async function useInSession(folder: string): Promise<{ store: MemoryStore; log: readonly Json[]; skills: Skills }> {
  const store = new MemoryStore();
  const skills = await loadSkills(folder);
  await agentFor(skills).session({ id: "s", store }).send("Go.");
  return { store, log: await store.load("s"), skills };
}

function agentFor({ instructions, tool }: Skills, from = 0): Agent {
  const lines = [call("use_skill", { name: "s" }), call("use_skill", { name: "s", file: "more.md" }), say("Done.")];
  return new Agent({ model: new ScriptedModel(...lines.slice(from)), instructions, tools: [tool] });
}

describe("what was read stands in the log", () => {
  test("as a hash of the file, which the model does not read", async () => {
    const text = skillText("s");
    const folder = await folderWith({ "s/SKILL.md": text, "s/more.md": "More.\r\n" });
    const { log } = await useInSession(folder);
    const [skill, file] = [sha256(text), sha256("More.\r\n")];
    const calls = recordedCalls(log);
    expect(calls.map(({ steps }) => steps)).toEqual([
      { [`skill:s/SKILL.md@${skill.slice(0, 16)}`]: { skill: "s", file: "SKILL.md", sha256: skill } },
      { [`skill:s/more.md@${file.slice(0, 16)}`]: { skill: "s", file: "more.md", sha256: file } },
    ]);
    expect(JSON.stringify(calls.map(({ response }) => response))).not.toContain(skill.slice(0, 8));
  });

  test("and says which skill has changed since", async () => {
    const folder = await folderWith({ "s/SKILL.md": skillText("s"), "s/more.md": "More." });
    const { log, skills } = await useInSession(folder);
    expect(await changedSkills(log, skills)).toEqual([]);

    await writeFiles(folder, { "s/more.md": "Less." });
    const [more, less] = [sha256("More."), sha256("Less.")].map((hash) => hash.slice(0, 12));
    expect(await changedSkills(log, skills)).toEqual([
      {
        runId: expect.any(String),
        callId: "call:2.0",
        skill: "s",
        file: "more.md",
        sha256: sha256("More."),
        change: `more.md of the skill s has changed: sha256 ${more} then, ${less} now`,
      },
    ]);

    await rm(join(folder, "s/more.md"));
    await mkdir(join(folder, "s/more.md"));
    expect(await changedSkills(log, skills)).toMatchObject([
      { change: expect.stringMatching(/^more\.md of the skill s can no longer be read: "more\.md" is a folder/) },
    ]);
    expect(await changedSkills(log, { skills: [] })).toMatchObject([
      { callId: "call:1.0", change: "the skill s is gone" },
      { callId: "call:2.0", change: "the skill s is gone" },
    ]);
  });

  test("and is what a run has after a crash at any place, though the file has changed meanwhile", async () => {
    const [before, after] = [skillText("s"), skillText("s", { body: "Do something else." })];
    const folder = await folderWith({ "s/SKILL.md": before, "s/more.md": "More." });
    const { log } = await useInSession(folder);
    const texts = { [sha256(before)]: "Do it.", [sha256(after)]: "Do something else." };
    const seen = new Set<string>();
    for (let length = 1; length < log.length; length++) {
      await writeFiles(folder, { "s/SKILL.md": after });
      const store = new MemoryStore();
      await store.append("s", 0, log.slice(0, length));
      const asked = log.slice(0, length).filter((entry) => kindOf(entry) === "model").length;
      const session = agentFor(await loadSkills(folder), asked).session({ id: "s", store });
      const result = await session.resume();
      const [first] = recordedCalls(await store.load("s"));
      const read = Object.values(first?.steps ?? {}).at(-1) as unknown as { sha256: string };
      expect(first?.response).toMatchObject({ output: { text: texts[read.sha256] } });
      expect(responsesIn(result.contents)[0]).toEqual(first?.response);
      // A call that was over is not made again.
      const isOver = log.slice(0, length).some((entry) => kindOf(entry) === "call");
      expect(read.sha256).toBe(sha256(isOver ? before : after));
      seen.add(read.sha256);
    }
    expect(seen.size).toBe(2);
  });
});

/** What an entry is the outcome of. */
function kindOf(entry: Json | undefined): unknown {
  const { type, place } = entry as { readonly type?: unknown; readonly place?: { readonly kind?: unknown } };
  return type === "step" ? place?.kind : undefined;
}
