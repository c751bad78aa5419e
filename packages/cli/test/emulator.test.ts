import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runPollux } from "../src/run-pollux.ts";
import { FakeProcess, runHere } from "./support.ts";

const MODEL = "gemini-3.8-flash";
const ASK = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] };

async function start(...args: string[]) {
  const terminal = new FakeProcess();
  const exit = runPollux(["emulator", "--port", "0", ...args], terminal);
  await expect.poll(() => /at (http:\S+)/.exec(terminal.out)?.[1]).toBeDefined();
  const url = /at (http:\S+)/.exec(terminal.out)?.[1] ?? "";
  const say = async (): Promise<unknown> =>
    (
      await fetch(`${url}/v1beta/models/${MODEL}:generateContent`, {
        method: "POST",
        headers: { "x-goog-api-key": "k" },
        body: JSON.stringify(ASK),
      })
    ).json();
  return { terminal, exit, url, say };
}

test("serves until a signal, with a line per request", async () => {
  const { terminal, exit, url, say } = await start();
  expect(terminal.out).toContain(`GOOGLE_GEMINI_BASE_URL=${url} node my-agent.js`);
  expect(terminal.out).toContain(`curl ${url}/v1beta/models/`);
  expect(await say()).toMatchObject({
    candidates: [{ content: { parts: [{ text: expect.stringMatching(/This is the local emulator/) }] } }],
  });
  await expect.poll(() => terminal.out).toContain(`1 POST /v1beta/models/${MODEL}:generateContent 200\n`);
  terminal.emit("SIGINT");
  expect(await exit).toBe(0);
  await expect(fetch(url)).rejects.toThrow(TypeError);
});

test("answers with the lines of a script, over and over", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pollux-cli-"));
  await writeFile(join(folder, "lines.json"), '["One", "Two"]');
  const { terminal, exit, say } = await start("--quiet", "--brain", "script", join(folder, "lines.json"));
  const said = [await say(), await say(), await say()].map(
    (answer) => /"text":"(\w+)"/.exec(JSON.stringify(answer))?.[1],
  );
  expect(said).toEqual(["One", "Two", "One"]);
  expect(terminal.out).not.toContain("POST");
  terminal.emit("SIGTERM");
  expect(await exit).toBe(0);
  await rm(folder, { recursive: true });
});

test("answers with recorded traffic", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pollux-cli-"));
  const exchange = {
    method: "POST",
    path: `/v1beta/models/${MODEL}:generateContent`,
    request: ASK,
    status: 200,
    responseHeaders: { "content-type": "application/json" },
    responseBody: JSON.stringify({ said: "Hello" }),
  };
  await writeFile(join(folder, "case.json"), JSON.stringify({ exchanges: [exchange] }));
  const { terminal, exit, say } = await start("--replay", folder);
  expect(await say()).toEqual({ said: "Hello" });
  terminal.emit("SIGINT");
  expect(await exit).toBe(0);
  const { code, err } = await runHere(["emulator", "--replay", folder, "--brain", "improvise"]);
  expect(code).toBe(2);
  expect(err).toContain("--replay and --brain cannot be combined");
  await rm(folder, { recursive: true });
});

test.each([
  [["--prot", "1"], /--prot/],
  [["--port", "many"], /--port must be an integer from 0 to 65535, not "many"/],
  [["--profile", "azure"], /--profile must be one of developer, .*, not "azure"/],
  [["--brain", "human"], /--brain must be improvise, script or replay/],
  [["--brain", "script"], /--brain script needs a file/],
  [["--brain", "replay", "/no/such/file"], /Cannot use \/no\/such\/file: .*ENOENT/],
  [["extra"], /Unexpected argument "extra"/],
])("%j is a wrong command line", async (args, message) => {
  const { code, out, err } = await runHere(["emulator", ...args]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(message);
});

test("a busy port is reported, with exit code 1", async () => {
  const busy = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => busy.once("listening", resolve));
  // A listening TCP server has an address object.
  const { port } = busy.address() as AddressInfo;
  expect(await runHere(["emulator", "--port", String(port)])).toEqual({
    code: 1,
    out: "",
    err: `pollux emulator: Port ${port} is in use; choose another with --port, or 0 for a free one\n`,
  });
  await new Promise((resolve) => busy.close(resolve));
});
