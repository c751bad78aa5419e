import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runPollux } from "../src/run-pollux.ts";
import { FakeProcess, runHere } from "./support.ts";

const CORE = new URL("../../core/src/index.ts", import.meta.url).href;

async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-studio-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A file with an agent that greets in these words. */
async function agentFile(folder: string, name: string = "agent.mjs"): Promise<string> {
  const file = join(folder, name);
  await writeFile(join(folder, "package.json"), "{}");
  await writeFile(join(folder, "words.mjs"), `export const WORDS = "You greet.";\n`);
  await writeFile(
    file,
    `import { Agent } from ${JSON.stringify(CORE)};
import { WORDS } from "./words.mjs";
export const greeter = new Agent({ model: "gemini-flash-latest", instructions: WORDS });
`,
  );
  return file;
}

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = new FakeProcess({ env });
  const exit = runPollux(["studio", ...args], terminal);
  await expect.poll(() => terminal.out + terminal.err).toMatch(/\S/);
  expect(terminal.err).toBe("");
  const url = /Open (http:\S+)#\/play/.exec(terminal.out)?.[1] ?? "";
  const get = async (path: string): Promise<any> => (await fetch(`${url}api/${path}`)).json();
  const post = async (path: string, body: object): Promise<any> =>
    (
      await fetch(`${url}api/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      })
    ).json();
  const stop = async (): Promise<number> => {
    terminal.emit("SIGINT");
    return await exit;
  };
  return { terminal, url, get, post, stop };
}

test("a message without a key is answered by the emulator, and its session and requests are kept", async () => {
  const folder = await testFolder();
  const store = join(folder, ".pollux", "studio.sqlite");
  const { terminal, get, post, stop } = await start([await agentFile(folder), "--store", store]);
  expect(terminal.out).toContain(
    `Agents: greeter\nSessions in ${store}\nThe local emulator answers, without a key and without cost. Tools run for real.\n`,
  );
  const about = await get("about");
  expect(about).toMatchObject({ agents: ["greeter"], answers: "emulator" });
  // Offered where there are no prices of its own.
  expect(about).not.toHaveProperty("listPrices");
  expect(await get("sessions")).toEqual({ sessions: [] });
  expect(await post("sessions/one/play", { agent: "greeter", message: "Hello" })).toMatchObject({ done: "Sent." });
  await expect.poll(async () => (await get("sessions/one")).state).toBe("done");
  await expect.poll(async () => (await get("sessions/one/exchanges")).length).toBe(1);
  const { request } = await get("sessions/one/exchanges/0");
  expect(JSON.parse(request.body)).toMatchObject({ systemInstruction: { parts: [{ text: "You greet." }] } });
  expect(await stop()).toBe(0);
  expect(await readdir(join(folder, ".pollux", "exchanges"))).toHaveLength(1);
  expect(await readFile(join(folder, ".pollux", ".gitignore"), "utf8")).toBe("*\n");
});

test("with a key it says that a message costs money, and sends none by itself", async () => {
  const folder = await testFolder();
  const sessions = join(folder, "sessions");
  const { terminal, get, stop } = await start([await agentFile(folder), "--store", sessions], { GEMINI_API_KEY: "k" });
  expect(terminal.out).toContain("A message to an agent asks the service, and costs money.\n");
  expect(await get("play")).toMatchObject({ answers: "service", canReload: true });
  expect(await stop()).toBe(0);
  expect(await get("play").catch((error: unknown) => error)).toBeInstanceOf(TypeError);
});

test("who answers can be chosen", async () => {
  const folder = await testFolder();
  const args = [await agentFile(folder), "--store", join(folder, "sessions"), "--answers", "emulator"];
  const { get, stop } = await start(args, { GEMINI_API_KEY: "k" });
  expect(await get("play")).toMatchObject({ answers: "emulator" });
  expect(await stop()).toBe(0);
});

test("a port that is in use is an error that says what to do", async () => {
  const folder = await testFolder();
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const args = ["studio", await agentFile(folder), "--store", join(folder, "sessions"), "--port", String(port)];
  const { code, err } = await runHere(args);
  expect([code, err]).toEqual([
    1,
    `pollux studio: Port ${port} is in use; choose another with --port, or 0 for a free one\n`,
  ]);
});

test("a command line that can't work says why, and writes nothing", async () => {
  const folder = await testFolder();
  const file = await agentFile(folder);
  const empty = join(folder, "empty.mjs");
  await writeFile(empty, "export const createAgent = () => {};\n");
  await mkdir(join(folder, "sub"));
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, err } = await runHere(["studio", ...args, "--store", join(folder, "sub", "s.sqlite")]);
    expect(code).toBe(2);
    return err;
  };
  expect(await refused()).toBe(
    "pollux studio: Name a file that exports agents: pollux studio agent.ts\nTry pollux studio --help\n",
  );
  expect(await refused(empty)).toContain("exports no agent: export const agent = new Agent({ … })");
  expect(await refused(join(folder, "nowhere.ts"))).toContain("Cannot load");
  expect(await refused(file, "--answers", "nobody")).toContain('--answers must be service or emulator, not "nobody"');
  expect(await refused(file, "--host", "0.0.0.0")).toContain("--host must be one of 127.0.0.1, localhost, ::1");
  expect(await readdir(join(folder, "sub"))).toEqual([]);
});

test("prints its help", async () => {
  expect((await runHere(["studio", "--help"])).out).toContain("Usage: pollux studio FILE... [options]\n");
  expect((await runHere(["--help"])).out).toContain("studio    play with agents in the browser\n");
});
