import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { createEmulator, type Emulator, grounded, say } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import type { GenerateContentResponse } from "@pollux/core/wire";
import { describe, expect, test } from "vitest";
import { refusals } from "../support/world.ts";
import { COMMANDS, requestOf } from "./gateway-commands.ts";

const KEY = "comet-key-1234";
const run = promisify(execFile);

/** The version of this machine's `curl`, if any. */
function curlVersion(): string | undefined {
  try {
    return execFileSync("curl", ["--version"], { encoding: "utf8" }).split("\n")[0];
  } catch {
    return undefined;
  }
}

const version = curlVersion();

/** Two ways to send a command's request; both return the text of the answer's body. */
const SENDERS: readonly (readonly [string, boolean, (command: string) => Promise<string>])[] = [
  [
    version === undefined ? "curl (not installed here)" : "curl",
    version === undefined,
    async (command) => {
      const env = { ...process.env, COMETAPI_KEY: KEY, no_proxy: "127.0.0.1" };
      const { stdout } = await run("sh", ["-c", command.replace("curl ", "curl --silent --show-error ")], { env });
      return stdout;
    },
  ],
  [
    "fetch",
    false,
    async (command) => {
      const { url, init } = requestOf(command, KEY);
      return await (await fetch(url, init)).text();
    },
  ],
];

async function open() {
  const emulator = createEmulator({ brain: improvise(), profile: "comet", keys: [KEY] });
  const server = await emulator.listen();
  /** The command with another host. */
  const here = (command: string): string => command.replace("https://api.cometapi.com", server.url);
  return { emulator, here, [Symbol.asyncDispose]: () => server.close() };
}

describe.each(SENDERS)("a gateway's documented commands, by %s", (_name, absent, send) => {
  test.skipIf(absent).each(Object.entries(COMMANDS))("are answered: %s", async (what, command) => {
    await using opened = await open();
    const { emulator, here } = opened;
    emulator.setBrain({
      answer: (turn) => {
        if (what.startsWith("JSON")) return improvise().answer(turn);
        if (!what.startsWith("Google Search")) return say("Water.");
        return grounded("It rains in Oslo.", { queries: ["oslo rain"], sources: [{ title: "yr.no" }] });
      },
    });
    const body = await send(here(command));
    const answers = what === "a stream" ? events(body) : [JSON.parse(body) as GenerateContentResponse];
    const candidates = answers.map((answer) => answer.candidates?.[0]);
    const said = candidates.flatMap((candidate) => candidate?.content?.parts ?? []).map((part) => part.text ?? "");
    if (what.startsWith("JSON")) expect(JSON.parse(said.join(""))).toEqual(expect.any(Array));
    else expect(said.join("")).toBe(what.startsWith("Google Search") ? "It rains in Oslo." : "Water.");
    expect(candidates.at(-1)?.finishReason).toBe("STOP");
    if (what.startsWith("Google Search"))
      expect(candidates[0]?.groundingMetadata?.groundingChunks?.map(({ web }) => web?.title)).toEqual(["yr.no"]);
    expect(summary(emulator)).toEqual({ refused: [], requests: 1, leaks: false });
  });

  test.skipIf(absent)("with a wrong key, or none, are refused in the gateway's words", async () => {
    await using opened = await open();
    const { here } = opened;
    const command = here(COMMANDS["text, with a Bearer header"] ?? "");
    for (const [changed, message] of [
      [command.replace("$COMETAPI_KEY", "someone-elses"), /^Invalid token \(request id: /],
      [command.replace(/ *-H "Authorization[^\n]*\n/, ""), /^No token provided \(request id: /],
    ] as const) {
      const { error } = JSON.parse(await send(changed)) as { readonly error: { readonly message: string } };
      expect(error).toEqual({ message: expect.stringMatching(message), type: "new_api_error", param: "", code: "" });
    }
  });
});

function events(body: string): readonly GenerateContentResponse[] {
  return body
    .split(/\r?\n\r?\n/)
    .filter((event) => event.startsWith("data: "))
    .map((event) => JSON.parse(event.slice("data: ".length)) as GenerateContentResponse);
}

function summary(emulator: Emulator): object {
  const leaks = JSON.stringify(emulator.requests).includes(KEY);
  return { refused: refusals(emulator), requests: emulator.requests.length, leaks };
}
