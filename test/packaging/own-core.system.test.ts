import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { withoutKeys } from "../examples/run-example.ts";
import { npmInstall, tarballOf, ZOD } from "../support/npm-install.ts";

/** A project whose agent is made by its own copy of core; the program has another one inside. */
const FILES = {
  ".gitignore": "node_modules\n",
  "package.json": JSON.stringify({ name: "app", private: true, type: "module" }),
  "agent.mjs": `
    import { connect } from "@pollux/cli";
    import { Agent, defineTool } from "@pollux/core";
    import { z } from "zod";
    const { endpoint } = await connect();
    const lookUpOrder = defineTool({
      name: "look_up_order",
      description: "Looks up an order",
      input: z.object({ number: z.int() }),
      run() { throw new Error("the table of orders is gone"); },
    });
    export const desk = new Agent({ name: "desk", model: "gemini-flash-latest", endpoint, tools: [lookUpOrder] });
  `,
  "desk.eval.mjs": `
    import { defineEval } from "@pollux/evals";
    import { desk } from "./agent.mjs";
    export default defineEval("desk", {
      agent: desk, world: "live", allowEffects: ["look_up_order"], trials: 1, scrub: (text) => text,
      scorers: [function asksTheTool({ calls }) { return calls.some(({ name }) => name === "look_up_order"); }],
      data: [{ id: "order", input: "Look up order 17." }],
    });
  `,
  "keyless.eval.mjs": `
    import { Agent } from "@pollux/core";
    import { defineEval } from "@pollux/evals";
    export default defineEval("keyless", {
      agent: () => new Agent({ model: "gemini-flash-latest" }), trials: 1, world: "live",
      scorers: [function answers({ text }) { return text !== ""; }],
      data: [{ id: "hello", input: "Hello" }],
    });
  `,
};

const OURS = ["core", "emulator", "cli", "evals", "inspector", "tools"];
const folder = mkdtempSync(join(tmpdir(), "pollux-own-core-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where `pollux` is run, and which one. */
interface Project {
  readonly app: string;
  readonly main: string;
}
/** Its core is a patch that came out after the program. */
const patched: Project = newProject("patched");
/** It has the next major release of everything, and is given to this release's program, which is installed elsewhere. */
const ahead: Project = newProject("ahead", "program");
const PROJECTS: readonly (readonly [string, Project])[] = [
  ["with a newer patch of core", patched],
  ["of the next major release", ahead],
];

function newProject(name: string, program = name): Project {
  return { app: join(folder, name), main: join(folder, program, "node_modules/@pollux/cli/dist/main.js") };
}

beforeAll(async () => {
  for (const { app } of [patched, ahead]) {
    mkdirSync(app);
    for (const [name, source] of Object.entries(FILES)) writeFileSync(join(app, name), source);
    // Trials are kept by git's tree.
    execFileSync("git", ["init", "--quiet"], { cwd: app });
  }
  const program = join(folder, "program");
  mkdirSync(program);
  writeFileSync(join(program, "package.json"), JSON.stringify({ private: true }));
  const released = OURS.map((name) => tarballOf(inject("packed"), `@pollux/${name}`));
  const [core = "", ...others] = released;
  await npmInstall(patched.app, [repack(core, ([x, y, z]) => [x, y, z + 1]), ...others, ZOD, "mathjs@15"]);
  await npmInstall(ahead.app, [...released.map((each) => repack(each, ([x]) => [x + 1, 0, 0])), ZOD]);
  await npmInstall(program, [...released, ZOD]);
});

type Version = [major: number, minor: number, patch: number];

/** A package as another release would be: with another version, which it also needs of its siblings. @returns Path of its tarball. */
function repack(tarball: string, next: (version: Version) => Version): string {
  const unpacked = mkdtempSync(join(folder, "unpacked-"));
  execFileSync("tar", ["-xzf", tarball, "-C", unpacked]);
  const file = join(unpacked, "package/package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  const version = next(manifest.version.split(".").map(Number)).join(".");
  const ofSiblings = (ranges: object = {}) =>
    Object.fromEntries(
      Object.entries(ranges).map(([name, range]) => [name, name.startsWith("@pollux/") ? `^${version}` : range]),
    );
  const { dependencies, peerDependencies } = manifest;
  const ranges = { dependencies: ofSiblings(dependencies), peerDependencies: ofSiblings(peerDependencies) };
  writeFileSync(file, JSON.stringify({ ...manifest, version, ...ranges }));
  const packed = `${unpacked}.tgz`;
  execFileSync("tar", ["-czf", packed, "-C", unpacked, "package"]);
  return packed;
}

function start({ app, main }: Project, args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: app,
    env: { ...withoutKeys(), NODE_NO_WARNINGS: "1" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function pollux(project: Project, args: readonly string[], input = "") {
  const child = start(project, args);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, out, err };
}

/** Sends the agent a message in studio, and waits until its session is complete in `.pollux`. */
async function play(project: Project, id: string): Promise<void> {
  const child = start(project, ["studio", "agent.mjs"]);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (printed += String(piece)));
  await expect.poll(() => printed).toMatch(/Open http:\S+#\/play/);
  const url = /Open (http:\S+)#\/play/.exec(printed)?.[1] ?? "";
  const body = JSON.stringify({ agent: "desk", message: "Look up order 17." });
  const headers = { "content-type": "application/json" };
  await fetch(`${url}api/sessions/${id}/play`, { method: "POST", headers, body });
  const ask = async (path: string): Promise<any> => (await fetch(`${url}api/sessions/${path}`)).json();
  await expect.poll(async () => (await ask(id)).state).toBe("done");
  await expect.poll(async () => (await ask(`${id}/exchanges`)).length).toBe(2);
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
}

const SESSIONS = ".pollux/studio.sqlite";
const addCase = (id: string) => ["eval", "add", id, "--store", SESSIONS, "--suite", "desk.eval.mjs", "--yes"];

describe.each(PROJECTS)("in a project %s", (_, project) => {
  test("studio runs the agent, and keeps its session, its requests and what its tool threw; eval makes a case of it", async () => {
    await play(project, "one");
    const kept = join(project.app, ".pollux/exchanges");
    const texts = readdirSync(kept).map((file) => readFileSync(join(kept, file), "utf8"));
    expect(texts.join("")).toContain("the table of orders is gone");

    expect(await pollux(project, ["session", "check", SESSIONS])).toMatchObject({ code: 0 });
    expect(await pollux(project, ["session", "show", SESSIONS, "--session", "one"])).toEqual({
      code: 0,
      out: expect.stringContaining('look_up_order({"number":17})'),
      err: "",
    });
    expect(await pollux(project, addCase("one"))).toEqual({
      code: 0,
      out: expect.stringContaining("2 requests are identical byte for byte\n"),
      err: "",
    });
  });

  test("eval tries the suites, keeps the trials, and names an error of the project's core", async () => {
    for (const before of ["", ", 1 of them before"])
      expect(await pollux(project, ["eval", "desk"])).toEqual({
        code: 0,
        out: expect.stringMatching(/^ +order +1 of 1/m),
        err: expect.stringMatching(new RegExp(`^desk: 1/1 trials of 1 case${before}$`, "m")),
      });
    expect(await pollux(project, ["eval", "keyless"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("pollux eval: keyless.eval.mjs: No API key: set GEMINI_API_KEY"),
    });
  });
});

test("a session in the format of a newer release is left as it is, and the program says that a newer release is needed", async () => {
  await play(ahead, "newer");
  using database = new DatabaseSync(join(ahead.app, SESSIONS));
  database.exec(`update pollux_entry set entry = json_set(entry, '$.v', json_extract(entry, '$.v') + 1)
    where session = (select number from pollux_session where id = 'newer')`);
  expect(await pollux(ahead, ["session", "check", SESSIONS, "--session", "newer"])).toMatchObject({
    code: 1,
    out: expect.stringContaining("nothing is changed; use the release that wrote it or a newer one"),
  });
  expect(await pollux(ahead, addCase("newer"))).toMatchObject({
    code: 1,
    err: expect.stringContaining("written by a newer release"),
  });
});

test("chat calls a tool of the project's packages, and shows its result and its failure", async () => {
  const { code, out } = await pollux(
    patched,
    ["chat", "--tools", "calculator,files"],
    "What is 6 * 7?\nRead the file nowhere.txt\n/exit\n",
  );
  expect(code).toBe(0);
  expect(out).toMatch(/✓ calculator .*42/);
  expect(out).toMatch(/✗ read_file .*nowhere\.txt/);
});
