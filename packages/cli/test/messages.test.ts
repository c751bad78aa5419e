import { createServer, type Server } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { createEmulator } from "@pollux/emulator";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RunPrinter } from "../src/run-printer.ts";
import { runHere } from "./support.ts";

let folder: string;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pollux-messages-"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await Promise.all(closers.splice(0).map((close) => close()));
  rmSync(folder, { recursive: true, force: true });
});

/** What is typed, and the whole text about what is wrong with it. `FOLDER` and `PORT` stand for the test's own. */
const INVALID: readonly (readonly [readonly string[], number, string])[] = [
  [["chta"], 2, 'pollux: unknown command "chta"\nTry pollux --help\n'],
  [
    ["chat", "--root", "FOLDER/none"],
    2,
    'pollux chat: --root must be a folder, and "FOLDER/none" is not one\nTry pollux chat --help\n',
  ],
  [
    ["chat", "--root", "FOLDER", "--tools", "flies"],
    2,
    'pollux chat: --tools: unknown tool "flies"; available: files, write, shell, http, calculator, time, notes, todo, sql:FILE, openapi:FILE, mcp:"COMMAND ARGS" or mcp:URL\nTry pollux chat --help\n',
  ],
  [
    ["emulator", "--port", "PORT"],
    1,
    "pollux emulator: Port PORT is in use; choose another with --port, or 0 for a free one\n",
  ],
  [
    ["emulator", "--port", "0", "--host", "192.0.2.1"],
    1,
    "pollux emulator: 192.0.2.1 is not an address of this machine; use --host 127.0.0.1, or 0.0.0.0 for all of them\n",
  ],
  [
    ["emulator", "--port", "many"],
    2,
    'pollux emulator: --port must be an integer from 0 to 65535, not "many"\nTry pollux emulator --help\n',
  ],
];

test.each(INVALID)("pollux %j", async (args, code, message) => {
  const port = await takenPort();
  const fill = (text: string): string => text.replaceAll("FOLDER", folder).replaceAll("PORT", String(port));
  const ended = await runHere(args.map(fill));
  expect({ code: ended.code, err: ended.err }).toEqual({ code, err: fill(message) });
});

test("a wrong key is a message in the chat, which goes on", async () => {
  const server = await createEmulator({ keys: ["the-right-one"] }).listen();
  closers.push(() => server.close());
  const { code, out } = await runHere(["chat", "--root", folder], {
    input: "Hello.\n",
    env: { GOOGLE_GEMINI_BASE_URL: server.url, GEMINI_API_KEY: "wrong" },
  });
  expect(out.split("\n").filter((line) => line.includes("Error"))).toEqual([
    "ApiStatusError: The API responded with 400 INVALID_ARGUMENT: API key not valid. Please pass a valid API key. Check the key: GOOGLE_API_KEY or GEMINI_API_KEY for Google, COMETAPI_KEY for CometAPI, or the endpoint's apiKey option.",
  ]);
  expect(code).toBe(0);
});

test("what a tool throws is shown, also to those who set nothing", async () => {
  vi.stubEnv("POLLUX_LOG", undefined);
  const shown = vi.spyOn(console, "error").mockImplementation(() => {});
  const weather = defineTool({
    name: "get_weather",
    description: "Weather.",
    run: () => {
      throw new Error("the station is down");
    },
  });
  const model = new ScriptedModel(call("get_weather"), say("No idea."));
  let out = "";
  const printer = new RunPrinter({ write: (text) => (out += text), color: false, width: Infinity });
  for await (const event of new Agent({ model, tools: [weather] }).stream("Weather?")) printer.print(event);
  expect(out.replace(/\d+ ms/, "0 ms")).toBe(
    "→ get_weather {}\n✗ get_weather 0 ms  get_weather failed with an internal error\nNo idea.\n",
  );
  expect(shown.mock.calls).toEqual([
    [expect.stringContaining("Pollux: tool failed: get_weather (")],
    [new Error("the station is down")],
  ]);
});

/** The port of a server that runs. */
async function takenPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
