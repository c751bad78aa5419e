import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MAIN } from "./support.ts";

const CORE = new URL("../../core/src/index.ts", import.meta.url).href;

test("reads an agent's files again when it is asked to, also those that they import, and ends with Ctrl-C", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pollux-studio-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const words = join(folder, "words.ts");
  await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
  await writeFile(words, `export const WORDS: string = "Version 1";\n`);
  // An open timer, which must not keep the program.
  await writeFile(
    join(folder, "agent.ts"),
    `import { Agent } from ${JSON.stringify(CORE)};
import { WORDS } from "./words.ts";
setInterval(() => {}, 1000);
export const helper: Agent = new Agent({ name: "helper", model: "gemini-flash-latest", instructions: WORDS });
`,
  );
  const { child, url } = await started(folder, ["studio", "agent.ts"]);
  const ask = async (path: string, init?: RequestInit): Promise<any> => (await fetch(`${url}api/${path}`, init)).json();
  expect(await ask("play")).toMatchObject({ agents: [{ instructions: "Version 1" }] });
  await writeFile(words, `export const WORDS: string = "Version 2";\n`);
  expect(await ask("play")).toMatchObject({ agents: [{ instructions: "Version 1" }] });
  const reload = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  expect(await ask("play/reload", reload)).toEqual({});
  expect(await ask("play")).toMatchObject({ agents: [{ instructions: "Version 2" }] });
  await writeFile(words, "export const WORDS = (;\n");
  expect(await ask("play/reload", reload)).toMatchObject({
    error: { message: expect.stringContaining("Cannot load") },
  });
  expect(await ask("play")).toMatchObject({ agents: [{ instructions: "Version 2" }] });
  const ended = new Promise((end) => child.once("exit", end));
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});

async function started(
  cwd: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const env = { PATH: process.env["PATH"] };
  const child = spawn(process.execPath, ["--conditions=pollux-source", MAIN, ...args], { cwd, env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (out += String(piece)));
  await expect.poll(() => out).toMatch(/Open http:\S+#\/play/);
  return { child, url: /Open (http:\S+)#\/play/.exec(out)?.[1] ?? "" };
}
