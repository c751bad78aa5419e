import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, gemini, geminiApi } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { createEmulator, say, script } from "@pollux/emulator";
import { expect, onTestFinished, test } from "vitest";
import { runPollux } from "../src/run-pollux.ts";
import { FakeProcess, runHere } from "./support.ts";

async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-inspect-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A session in a store, with its exchanges in another. */
async function talk(store: JsonlStore | SqliteStore, exchanges?: JsonlStore): Promise<void> {
  const emulator = createEmulator({ brain: script([say("Hi there.")], { afterwards: "start-over" }) });
  const model = gemini("gemini-3.8-flash", {
    endpoint: geminiApi({ apiKey: "k" }),
    fetch: (input, init) => emulator.fetch(input, init),
  });
  const kept = exchanges && keepExchanges(exchanges);
  const agent = new Agent({ model, ...(kept && { observers: [kept] }) });
  await agent.session({ id: "chat", store }).send("Hello");
  await kept?.close();
}

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = new FakeProcess({ env });
  const exit = runPollux(["inspect", ...args], terminal);
  await expect.poll(() => terminal.out + terminal.err).toMatch(/\S/);
  expect(terminal.err).toBe("");
  const url = /Open (http:\S+)/.exec(terminal.out)?.[1] ?? "";
  const get = async (path: string): Promise<any> => (await fetch(`${url}api/${path}`)).json();
  const stop = async (): Promise<number> => {
    terminal.emit("SIGINT");
    return await exit;
  };
  return { terminal, url, get, stop };
}

test("serves a folder of sessions with the exchanges beside it, read-only, until Ctrl-C", async () => {
  const folder = await testFolder();
  await talk(new JsonlStore(join(folder, "sessions")), new JsonlStore(join(folder, "exchanges")));
  const { terminal, url, get, stop } = await start([join(folder, "sessions")], { GEMINI_API_KEY: "Hi there" });
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
  expect(terminal.out).toContain(`Inspecting ${join(folder, "sessions")}\n`);
  expect(terminal.out).toContain(
    `Requests and answers from ${join(folder, "exchanges")}\nRead-only; see --allow-actions.\n`,
  );
  expect(await get("sessions")).toMatchObject({ sessions: [{ id: "chat", title: "Hello", hasExchanges: true }] });
  const [exchange] = await get("sessions/chat/exchanges");
  expect(exchange).toMatchObject({ step: "model:1", status: 200, turn: 1 });
  const { request } = await get("sessions/chat/exchanges/0");
  expect(JSON.parse(request.body)).toMatchObject({ contents: [{ parts: [{ text: "Hello" }] }] });
  // The key of the environment.
  expect(JSON.stringify(await get("sessions/chat"))).toContain("[redacted].");
  expect((await fetch(new URL("/", url))).status).toBe(401);
  expect(await stop()).toBe(0);
  await expect(fetch(url)).rejects.toThrow(TypeError);
});

test("shows the runs of evals beside the store of their trials, or those of another folder", async () => {
  const folder = await testFolder();
  const store = new SqliteStore(join(folder, "evals.sqlite"));
  await talk(store);
  store[Symbol.dispose]();
  for (const name of ["evals", "others"]) await mkdir(join(folder, name, `suite of ${name}`), { recursive: true });
  const suitesOf = async (...more: readonly string[]): Promise<readonly [string | undefined, unknown]> => {
    const { terminal, get, stop } = await start([join(folder, "evals.sqlite"), ...more]);
    const read = await get("evals");
    expect(await stop()).toBe(0);
    return [/Evals from (.*): http:\S+\/#\/evals\n/.exec(terminal.out)?.[1], read];
  };
  const suite = (name: string) => [{ suite: name, runs: [], unreadable: [], omitted: 0 }];
  expect(await suitesOf()).toEqual([join(folder, "evals"), suite("suite of evals")]);
  const others = join(folder, "others");
  expect(await suitesOf("--evals", others)).toEqual([others, suite("suite of others")]);
});

test("ends with Ctrl-C while a page is following a session", async () => {
  const folder = await testFolder();
  await talk(new JsonlStore(folder));
  const { url, stop } = await start([join(folder, "chat.jsonl")]);
  const live = await fetch(`${url}api/sessions/chat/live`);
  const reader = live.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toContain("event: changed");
  expect(await stop()).toBe(0);
  await expect(reader.read()).rejects.toThrow(TypeError);
});

test("shows what a turn costs, and the agents of a module", async () => {
  const folder = await testFolder();
  const store = new SqliteStore(join(folder, "chats.sqlite"));
  await talk(store);
  store[Symbol.dispose]();
  const module = join(folder, "agents.mjs");
  await writeFile(
    module,
    "const agent = (name) => ({ name, run() {}, stream() {}, session() {} });\nexport const helper = agent('agent');\nexport default agent('planner');\nexport const other = 1;\n",
  );
  const args = [join(folder, "chats.sqlite"), "--allow-actions", "--agent", module, "--host", "localhost"];
  const { terminal, get, stop } = await start(args, { POLLUX_PRICES: "1,2" });
  expect(terminal.out).toContain("The page can change sessions and run agents.\n");
  const { agents, listPrices } = await get("about");
  // The list's are offered where there are no prices of its own.
  expect([agents.toSorted(), listPrices]).toEqual([["helper", "planner"], undefined]);
  const { runs } = await get("sessions/chat");
  expect(runs[0].turns[0].cost).toBeGreaterThan(0);
  expect(await stop()).toBe(0);
});

test("a port that is in use is an error that says what to do", async () => {
  const folder = await testFolder();
  await talk(new JsonlStore(folder));
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { code, err } = await runHere(["inspect", folder, "--port", String(port)]);
  expect([code, err]).toEqual([
    1,
    `pollux inspect: Port ${port} is in use; choose another with --port, or 0 for a free one\n`,
  ]);
});

test("a path that doesn't exist or is no store is an error that lists what is there", async () => {
  const folder = await testFolder();
  await mkdir(join(folder, "empty"));
  await writeFile(join(folder, "notes.txt"), "notes");
  await writeFile(join(folder, "list.json"), "[1]");
  const run = async (path: string): Promise<string> => {
    const { code, out, err } = await runHere(["inspect", join(folder, path)]);
    expect([code, out]).toEqual([1, ""]);
    return err.replaceAll(folder, "");
  };
  expect(await run("nowhere")).toContain("/nowhere doesn't exist: pass a session store, a session file or recordings");
  expect(await run("empty")).toContain("/empty has no sessions: the folder of a JsonlStore has .jsonl files");
  expect(await run("notes.txt")).toContain("/notes.txt can't be inspected");
  expect(await run("list.json")).toContain("/list.json has no recordings");
});

test("without a path and without saved chats, it says what saves them and how to show others", async () => {
  expect(await runHere(["inspect"])).toMatchObject({
    code: 1,
    out: "",
    err: `pollux inspect: There is no pollux-chats.sqlite here, where "pollux chat --session NAME" saves. To show other sessions, name their store: pollux inspect PATH.\n`,
  });
});

test("a module without agents is a wrong command line", async () => {
  const folder = await testFolder();
  await talk(new JsonlStore(folder));
  await writeFile(join(folder, "agents.mjs"), "export const agent = {};\n");
  const { code, err } = await runHere(["inspect", folder, "--agent", join(folder, "agents.mjs")]);
  expect([code, err]).toEqual([2, expect.stringContaining("exports no agent: export const agent = new Agent({ … })")]);
});
