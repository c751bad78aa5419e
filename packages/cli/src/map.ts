import { once } from "node:events";
import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { Agent } from "@pollux/core";
import type { JsonSchema } from "@pollux/core/wire";
import { formatProgress, map, type MapItem } from "@pollux/core/bulk";
import { SqliteStore } from "@pollux/core/node";
import { type CliProcess, type Command, errorMessage, parseOptions, UsageError } from "./command.ts";
import { openConnection } from "./connect.ts";
import { pricesIn } from "./prices.ts";
import { ProgressLine } from "./progress-line.ts";

const MODEL = "gemini-flash-latest";

const HELP = `Usage: pollux map FILE.jsonl --prompt TEXT [options]

Asks a model once for each line of a file, several at a time, and writes a line for each answer.

  FILE.jsonl             one JSON value a line; - for standard input
  -p, --prompt TEXT      the question; {name} is replaced by that member of the line, {} by the whole line

Options:
  -o, --out FILE         where the answers go (default standard output)
  -k, --key NAME         member that names a line; required with --store (default the line's number, from 1)
      --store FILE       SQLite file with the finished lines: the same command continues after Ctrl-C or a crash
      --name NAME        another name starts over in the same store (default map)
      --schema FILE      JSON Schema of the answers, which are JSON then
  -i, --instructions T   the system instruction
  -m, --model ID         model to ask (default ${MODEL})
  -c, --concurrency N    lines at the same time (default 8)
      --max-cost N       start nothing new once this much is spent; needs POLLUX_PRICES
      --retries N        retries after an unusable answer or a temporary failure (default 1)
  -h, --help             show this help

Each line written is JSON: key, status (finished, ended, waiting or failed), output or text, and why.
Progress is shown on standard error.
Exit codes: 0 every line has its answer, 1 some have none, 2 invalid command line, 130 after Ctrl-C.

Environment:
  GEMINI_API_KEY, GOOGLE_API_KEY or COMETAPI_KEY   API key of the service
  POLLUX_PRICES=INPUT,OUTPUT                       count costs (per million tokens; or google: list prices)

Example:
  pollux map reviews.jsonl -p 'Is it positive? {text}' --key id --store reviews.sqlite --out answers.jsonl
`;

/** Runs an agent over the lines of a file. */
export const mapCommand: Command = { help: HELP, run: runMap };

async function runMap(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseMapOptions(args);
  const { prompt, key, name, concurrency, maxCost, retries } = options;
  await using connection = await openConnection(terminal.env);
  using store = options.store === undefined ? undefined : new SqliteStore(options.store);
  const agent = new Agent({
    model: options.model,
    endpoint: connection.endpoint,
    instructions: options.instructions,
    output: options.schema,
    prices: pricesIn(terminal.env),
  });
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  terminal.once("SIGINT", onSignal);
  const progress = new ProgressLine(terminal);
  const out = options.out === undefined ? terminal.stdout : createWriteStream(options.out);
  const lines = options.file === "-" ? terminal.stdin : createReadStream(options.file);
  terminal.stderr.write(`${connection.description}\n`);
  const run = map(agent, readLines(lines, stop.signal), {
    name,
    concurrency,
    maxCost,
    retries,
    store,
    signal: stop.signal,
    total: options.file === "-" ? undefined : countLines(options.file),
    key: ({ value, line }) => (key === undefined ? String(line) : textOf(memberOf(value, key, line))),
    message: ({ value, line }) =>
      prompt.replaceAll(/\{(\w*)\}/g, (_, member: string) =>
        textOf(member === "" ? value : memberOf(value, member, line)),
      ),
    onProgress: (now) => progress.show(formatProgress(now), now.finished + now.failed + now.waiting, now.total),
  });
  try {
    for await (const item of run) if (!out.write(`${JSON.stringify(describe(item))}\n`)) await once(out, "drain");
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    terminal.off("SIGINT", onSignal);
    progress.end();
    if (out !== terminal.stdout) await new Promise<void>((resolve) => out.end(resolve));
  }
  const summary = await run.summary();
  const again = store === undefined ? "" : "; the same command continues";
  if (summary.ended === "cost") terminal.stderr.write(`Stopped at --max-cost ${maxCost}${again}.\n`);
  for (const one of summary.missing.slice(0, 10)) terminal.stderr.write(`  ${one.key}: ${one.why}\n`);
  if (summary.missing.length > 10) terminal.stderr.write(`  and ${summary.missing.length - 10} more\n`);
  if (!stop.signal.aborted) return summary.ended === "done" && summary.missing.length === 0 ? 0 : 1;
  terminal.stderr.write(`Stopped${again}.\n`);
  return 130;
}

function parseMapOptions(args: readonly string[]) {
  const { values, positionals } = parseOptions(args, {
    prompt: { type: "string", short: "p" },
    out: { type: "string", short: "o" },
    key: { type: "string", short: "k" },
    store: { type: "string" },
    name: { type: "string" },
    schema: { type: "string" },
    instructions: { type: "string", short: "i" },
    model: { type: "string", short: "m", default: MODEL },
    concurrency: { type: "string", short: "c" },
    "max-cost": { type: "string" },
    retries: { type: "string" },
  });
  const [file, more] = positionals;
  if (file === undefined) throw new UsageError("Name a file with one JSON value a line, or - for standard input");
  if (more !== undefined) throw new UsageError(`Unexpected argument "${more}"`);
  if (values.store !== undefined && values.key === undefined)
    throw new UsageError("--store needs --key: the member that names a line, whatever its place in the file");
  if (values.prompt === undefined) throw new UsageError("--prompt is missing: the question to ask of each line");
  if (file !== "-" && !statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`There is no file "${file}"`);
  const number = (name: "concurrency" | "max-cost" | "retries"): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const least = name === "concurrency" ? 1 : 0;
    if (!(Number(text) >= least)) throw new UsageError(`--${name} must be a number from ${least} on, not "${text}"`);
    return Number(text);
  };
  return {
    file,
    prompt: values.prompt,
    out: values.out,
    key: values.key,
    store: values.store,
    name: values.name,
    instructions: values.instructions,
    model: values.model,
    schema: values.schema === undefined ? undefined : (readJson(values.schema) as JsonSchema),
    concurrency: number("concurrency"),
    maxCost: number("max-cost"),
    retries: number("retries"),
  };
}

interface Line {
  readonly value: unknown;
  /** From 1. */
  readonly line: number;
}

/** Values of a file with one JSON value a line. @throws {Error} For a line that is not JSON, with its number. */
async function* readLines(input: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<Line> {
  let line = 0;
  for await (const text of createInterface({ input, signal, crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() !== "") yield { value: parseJson(text, `line ${line}`), line };
  }
}

function countLines(file: string): number {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "").length;
}

function readJson(file: string): unknown {
  try {
    return parseJson(readFileSync(file, "utf8"), file);
  } catch (error) {
    throw new UsageError(errorMessage(error), { cause: error });
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${where} is not JSON: ${errorMessage(error)}`, { cause: error });
  }
}

function memberOf(value: unknown, name: string, line: number): unknown {
  const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, name);
  const member: unknown = isThere ? Reflect.get(value, name) : undefined;
  if (member === undefined) throw new Error(`line ${line} has no "${name}"`);
  return member;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function describe(item: MapItem<Line, unknown>): object {
  const { key, status } = item;
  if (status === "failed") return { key, status, why: errorMessage(item.error) };
  const { result } = item;
  if (status !== "finished") return { key, status, why: result.stopReason, text: result.text };
  return { key, status, ...(item.output === undefined ? { text: result.text } : { output: item.output }) };
}
