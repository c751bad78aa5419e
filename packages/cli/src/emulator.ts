import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Answer,
  type Brain,
  createEmulator,
  loadRecording,
  type LoggedRequest,
  type Profile,
  replay,
  script,
  type ScriptLine,
  say,
} from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { type CliProcess, type Command, errorMessage, parseOptions, UsageError } from "./command.ts";
import { parseNumber, startServer, untilStopped } from "./serving.ts";

const PROFILES: readonly Profile[] = ["developer", "developer-v1", "vertex", "comet", "old-proxy"];

const HELP = `Usage: pollux emulator [options]

Serve a strict local stand-in for the Gemini API until Ctrl-C. No key, no network, no cost.

Options:
      --port NUMBER           port to serve on (default 8787; 0 picks a free one)
      --host ADDRESS          address to serve on (default 127.0.0.1: this machine only)
      --profile NAME          which service to emulate (default developer):
                              ${PROFILES.join(", ")}
      --brain improvise       make up answers from the request (default)
      --brain script FILE     answer with the lines of a module (export default [say("Hi"), ...]) or a JSON list
      --brain replay PATH     answer with recorded traffic from a file or folder
      --replay PATH           the same
      --delay MILLISECONDS    wait before the first byte and between chunks (default 0)
      --quiet                 do not log each request
  -h, --help                  show this help

Exit codes: 0 stopped by Ctrl-C, 1 cannot serve, 2 invalid command line.

Examples:
  pollux emulator --port 8787
  pollux emulator --replay test/recordings
`;

/** Serves the emulator until a signal stops it. */
export const emulatorCommand: Command = { help: HELP, run: runEmulator };

async function runEmulator(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseEmulatorOptions(args);
  const emulator = createEmulator({
    profile: options.profile,
    brain: await createBrain(options.brain),
    delays: { firstByteMs: options.delayMs, chunkMs: options.delayMs },
    onAnswered: (request) => {
      if (!options.quiet) terminal.stdout.write(requestLine(request));
    },
  });
  await using server = await startServer((where) => emulator.listen(where), options);
  terminal.stdout.write(greeting(server.url, options));
  await untilStopped(terminal);
  return 0;
}

async function createBrain(chosen: EmulatorOptions["brain"]): Promise<Brain> {
  if (chosen.kind === "improvise") return improvise();
  try {
    if (chosen.kind === "replay") return replay(await loadRecording(chosen.file));
    return script(await loadLines(chosen.file), { afterwards: "start-over" });
  } catch (error) {
    throw new UsageError(`Cannot use ${chosen.file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

async function loadLines(file: string): Promise<ScriptLine[]> {
  const path = resolve(file);
  // The exports of a user's file are unknown until it is loaded.
  const loaded: unknown =
    extname(path) === ".json"
      ? JSON.parse(await readFile(path, "utf8"))
      : ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  if (!Array.isArray(loaded) || loaded.length === 0)
    throw new TypeError("it must export a list of answers as its default");
  return loaded.map((line: unknown): ScriptLine => {
    if (typeof line === "string") return say(line);
    if (typeof line === "function") return line as ScriptLine;
    if (Array.isArray(line) || isAnswer(line)) return line as Answer;
    throw new TypeError("each line must be a string, an answer or a function");
  });
}

/** An answer with options has its parts in a list; nothing more is checked. */
function isAnswer(line: unknown): line is Answer {
  return typeof line === "object" && line !== null && "parts" in line && Array.isArray(line.parts);
}

function requestLine({ number, method, path, answered }: LoggedRequest): string {
  const ending = answered.complete === false ? " (not read to the end)" : "";
  return `${number} ${method} ${path} ${answered.status}${answered.rule === undefined ? "" : ` ${answered.rule}`}${ending}\n`;
}

function greeting(url: string, { profile, brain }: EmulatorOptions): string {
  return `Gemini API emulator (profile ${profile}, brain ${brain.kind}) at ${url}

With Pollux:  GOOGLE_GEMINI_BASE_URL=${url} node my-agent.js
With curl:    curl ${url}/v1beta/models/gemini-flash-latest:generateContent -H "x-goog-api-key: emulator" -H "content-type: application/json" -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'

`;
}

interface EmulatorOptions {
  readonly port: number;
  readonly host: string;
  readonly profile: Profile;
  readonly brain: { readonly kind: "improvise" } | { readonly kind: "script" | "replay"; readonly file: string };
  readonly delayMs: number;
  readonly quiet: boolean;
}

function parseEmulatorOptions(args: readonly string[]): EmulatorOptions {
  const { values, positionals } = parseOptions(args, {
    port: { type: "string", default: "8787" },
    host: { type: "string", default: "127.0.0.1" },
    profile: { type: "string", default: "developer" },
    brain: { type: "string" },
    replay: { type: "string" },
    delay: { type: "string", default: "0" },
    quiet: { type: "boolean" },
  });
  const profile = PROFILES.find((name) => name === values.profile);
  if (profile === undefined)
    throw new UsageError(`--profile must be one of ${PROFILES.join(", ")}, not "${values.profile}"`);
  return {
    port: parseNumber("--port", values.port, 65_535),
    host: values.host,
    profile,
    brain: parseBrain(values.brain, values.replay, positionals),
    delayMs: parseNumber("--delay", values.delay, 3_600_000),
    quiet: values.quiet === true,
  };
}

function parseBrain(
  named: string | undefined,
  replayed: string | undefined,
  positionals: readonly string[],
): EmulatorOptions["brain"] {
  if (replayed !== undefined && named !== undefined) throw new UsageError("--replay and --brain cannot be combined");
  if (replayed === "") throw new UsageError("--replay needs a file or a folder: --replay PATH");
  const kind = replayed === undefined ? (named ?? "improvise") : "replay";
  if (kind !== "improvise" && kind !== "script" && kind !== "replay") {
    throw new UsageError(`--brain must be improvise, script or replay, not "${kind}"`);
  }
  const [file, ...more] = replayed === undefined ? positionals : [replayed, ...positionals];
  const extra = kind === "improvise" ? file : more[0];
  if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}"`);
  if (kind === "improvise") return { kind };
  if (file === undefined) throw new UsageError(`--brain ${kind} needs a file: --brain ${kind} FILE`);
  return { kind, file };
}
