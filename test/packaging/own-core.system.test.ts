import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
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

let app: string;

beforeAll(async () => {
  app = mkdtempSync(join(tmpdir(), "pollux-own-core-"));
  for (const [name, source] of Object.entries(FILES)) writeFileSync(join(app, name), source);
  // Trials are kept by git's tree.
  execFileSync("git", ["init", "--quiet"], { cwd: app });
  const ours = ["core", "emulator", "cli", "evals", "inspector", "tools"].map((name) => `@pollux/${name}`);
  await npmInstall(app, [...ours.map((name) => tarballOf(inject("packed"), name)), ZOD, "mathjs@15"]);
});
afterAll(() => rmSync(app, { recursive: true, force: true }));

function start(args: readonly string[]) {
  const main = join(app, "node_modules/@pollux/cli/dist/main.js");
  const child = spawn(process.execPath, [main, ...args], {
    cwd: app,
    env: { ...withoutKeys(), NODE_NO_WARNINGS: "1" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function pollux(args: readonly string[], input = "") {
  const child = start(args);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, out, err };
}

test("studio runs the project's agent, and keeps its session, its requests and what its tool threw; eval makes a case of it", async () => {
  const child = start(["studio", "agent.mjs"]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (said += String(piece)));
  await expect.poll(() => said).toMatch(/Open http:\S+#\/play/);
  const url = /Open (http:\S+)#\/play/.exec(said)?.[1] ?? "";
  const body = JSON.stringify({ agent: "desk", message: "Look up order 17." });
  const headers = { "content-type": "application/json" };
  await fetch(`${url}api/sessions/one/play`, { method: "POST", headers, body });
  const ask = async (path: string): Promise<any> => (await fetch(`${url}api/sessions/${path}`)).json();
  await expect.poll(async () => (await ask("one")).state).toBe("done");
  await expect.poll(async () => (await ask("one/exchanges")).length).toBe(2);
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
  const kept = join(app, ".pollux/exchanges");
  const texts = readdirSync(kept).map((file) => readFileSync(join(kept, file), "utf8"));
  expect(texts.join("")).toContain("the table of orders is gone");

  const sessions = ["--store", ".pollux/studio.sqlite"];
  expect(await pollux(["session", "check", ".pollux/studio.sqlite"])).toMatchObject({ code: 0 });
  expect(await pollux(["eval", "add", "one", ...sessions, "--suite", "desk.eval.mjs", "--yes"])).toEqual({
    code: 0,
    out: expect.stringContaining("2 requests are built again byte for byte\n"),
    err: "",
  });
});

test("eval tries the project's suites, keeps the trials, and names an error of its core", async () => {
  for (const before of ["", ", 1 of them before"])
    expect(await pollux(["eval", "desk"])).toEqual({
      code: 0,
      out: expect.stringMatching(/^ +order +1 of 1/m),
      err: expect.stringMatching(new RegExp(`^desk: 1/1 trials of 1 case${before}$`, "m")),
    });
  expect(await pollux(["eval", "keyless"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("pollux eval: keyless.eval.mjs: No API key: set GEMINI_API_KEY"),
  });
});

test("chat calls a tool of the project's packages, and shows its result and its failure", async () => {
  const { code, out } = await pollux(
    ["chat", "--tools", "calculator,files"],
    "What is 6 * 7?\nRead the file nowhere.txt\n/exit\n",
  );
  expect(code).toBe(0);
  expect(out).toMatch(/✓ calculator .*42/);
  expect(out).toMatch(/✗ read_file .*nowhere\.txt/);
});
