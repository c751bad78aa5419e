import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Answer, text } from "./brain/answer.ts";
import type { Brain } from "./brain/brain.ts";
import { loadRecording } from "./brain/recording.ts";
import { replay } from "./brain/replay.ts";
import { script, type ScriptLine } from "./brain/script.ts";
import { type CliOptions, HELP, parseCli, UsageError } from "./cli-options.ts";
import { createEmulator } from "./emulator.ts";
import { improvise } from "./improvise/improvise.ts";
import { isFields } from "./internal/json.ts";
import type { RunningServer } from "./listen.ts";
import type { LoggedRequest } from "./request-log.ts";

/** The parts of a process the command needs. */
export interface CliProcess {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  once(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/** Runs the command until a signal ends it; gives the exit code: 0, 1 when it cannot serve, 2 for a wrong command line. */
export async function runCli(args: readonly string[], terminal: CliProcess): Promise<number> {
  try {
    const options = parseCli(args);
    if (options === "help") terminal.stdout.write(HELP);
    else if (options === "version") terminal.stdout.write(`${await version()}\n`);
    else await serveUntilSignal(options, terminal);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    terminal.stderr.write(
      `pollux-emulator: ${message}\n${error instanceof UsageError ? "Try pollux-emulator --help\n" : ""}`,
    );
    return error instanceof UsageError ? 2 : 1;
  }
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  return isFields(manifest) ? String(manifest["version"]) : "unknown";
}

async function serveUntilSignal(options: CliOptions, terminal: CliProcess): Promise<void> {
  const emulator = createEmulator({
    profile: options.profile,
    brain: await brainOf(options.brain),
    delays: { firstByteMs: options.delayMs, chunkMs: options.delayMs },
    onAnswered: (request) => {
      if (!options.quiet) terminal.stdout.write(requestLine(request));
    },
  });
  await using server = await startServer((where) => emulator.listen(where), options);
  terminal.stdout.write(greeting(server.url, options));
  await new Promise<void>((stop) => {
    const end = (): void => {
      terminal.off("SIGINT", end);
      terminal.off("SIGTERM", end);
      stop();
    };
    terminal.once("SIGINT", end);
    terminal.once("SIGTERM", end);
  });
}

async function startServer(
  listen: (where: { port: number; host: string }) => Promise<RunningServer>,
  { port, host }: CliOptions,
): Promise<RunningServer> {
  try {
    return await listen({ port, host });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE")
      throw new Error(`Port ${port} is taken; choose another with --port, or 0 for a free one`, { cause: error });
    throw error;
  }
}

async function brainOf(chosen: CliOptions["brain"]): Promise<Brain> {
  if (chosen.kind === "improvise") return improvise();
  try {
    if (chosen.kind === "replay") return replay(await loadRecording(chosen.file));
    return script(await linesOf(chosen.file), { afterwards: "start-over" });
  } catch (error) {
    throw new UsageError(`Cannot use ${chosen.file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function linesOf(file: string): Promise<ScriptLine[]> {
  const path = resolve(file);
  // What a user's file exports is known only once it is loaded.
  const loaded: unknown =
    extname(path) === ".json"
      ? JSON.parse(await readFile(path, "utf8"))
      : ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  if (!Array.isArray(loaded) || loaded.length === 0) throw new TypeError("it must export a list of answers");
  return loaded.map((line: unknown): ScriptLine => {
    if (typeof line === "string") return text(line);
    if (typeof line === "function") return line as ScriptLine;
    if (Array.isArray(line) || (isFields(line) && Array.isArray(line["parts"]))) return line as unknown as Answer;
    throw new TypeError("each line must be a text, an answer, or a function");
  });
}

function requestLine({ number, method, path, answered }: LoggedRequest): string {
  const ending = answered.complete === false ? " (not read to the end)" : "";
  return `${number} ${method} ${path} ${answered.status}${answered.rule === undefined ? "" : ` ${answered.rule}`}${ending}\n`;
}

function greeting(url: string, { profile, brain }: CliOptions): string {
  return `Gemini API emulator (profile ${profile}, brain ${brain.kind}) at ${url}

With Pollux:  GOOGLE_GEMINI_BASE_URL=${url} node my-agent.js
With curl:    curl ${url}/v1beta/models/gemini-flash-latest:generateContent -H "x-goog-api-key: emulator" -H "content-type: application/json" -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'

`;
}
