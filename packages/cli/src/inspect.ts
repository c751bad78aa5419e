import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join, relative, resolve } from "node:path";
import type { Agent, SessionStore } from "@pollux/core";
import { proposeCase, writeSessionCase } from "@pollux/evals";
import { type CaseDraft, localInspector, type OpenedPath, openPath, type RunForCase } from "@pollux/inspector";
import { toNodeHandler } from "@pollux/web/node";
import { type CliProcess, type Command, parseOptions, UsageError } from "./command.ts";
import { chooseSuite } from "./eval/find-suites.ts";
import { importFile } from "./import-file.ts";
import { readPrices } from "./prices.ts";
import { explainListenError, parseNumber, untilStopped } from "./serving.ts";

/** Where `pollux chat` saves. */
export const STORE = "pollux-chats.sqlite";
/** Where `pollux eval` keeps its trials. */
const TRIALS = join(".pollux", "evals.sqlite");
const HOSTS: readonly string[] = ["127.0.0.1", "localhost", "::1"];

const HELP = `Usage: pollux inspect [PATH] [options]

Show sessions down to the bytes, in the browser: turns, requests, tools, tokens and money, live while
they run. PATH is the folder of a JsonlStore or one of its files, the file of a SqliteStore, or recorded
traffic (default ${STORE}, where pollux chat saves, or else ${TRIALS}, where pollux eval does).

Only this machine can open the page, and only by the printed address. Nothing is changed without --allow-actions.

Options:
      --exchanges PATH     where keepExchanges writes: shows each request as it was sent
                           (default: the folder "exchanges" beside PATH, if there is one)
      --evals FOLDER       where pollux eval keeps its runs (default: the folder "evals" beside PATH, if there is one)
      --port NUMBER        port to serve on (default: a free one)
      --host ADDRESS       ${HOSTS.join(", ")} (default 127.0.0.1)
      --open               open the page in the browser
      --allow-actions      let the page answer calls, stop, send, replay and fork
      --agent FILE         module that exports agents, which actions run; may be given more than once
  -h, --help               show this help

Environment:
  POLLUX_PRICES=INPUT,OUTPUT   show what turns cost (per million tokens; or google: list prices)

Exit codes: 0 stopped by Ctrl-C, 1 cannot serve, 2 invalid command line.

Examples:
  pollux inspect sessions --open
  pollux inspect sessions/order-17.jsonl --exchanges exchanges
  pollux inspect sessions --allow-actions --agent agent.ts
`;

/** Serves the inspector until a signal stops it. */
export const inspectCommand: Command = { help: HELP, run: runInspect };

async function runInspect(args: readonly string[], terminal: CliProcess): Promise<number> {
  const options = parseInspectOptions(args);
  const path = options.path ?? [STORE, TRIALS].find((file) => existsSync(file));
  if (path === undefined)
    throw new Error(
      `There is no ${STORE} here, where "pollux chat --session NAME" saves. To show other sessions, name their store: pollux inspect PATH.`,
    );
  await using opened = await openPath(path);
  await using kept = await openExchanges(path, options.exchanges);
  const evals = options.evals ?? folderBeside(path, "evals");
  const agents = await loadAgents(options.agents);
  const prices = readPrices(terminal.env["POLLUX_PRICES"]);
  const exchanges = kept?.store ?? opened.exchanges;
  const {
    handler,
    path: address,
    release,
  } = localInspector({
    title: opened.title,
    store: opened.store,
    exchanges,
    agents,
    allowActions: options.allowActions,
    secrets: keysIn(terminal.env),
    ...(prices !== undefined && { prices }),
    ...(evals !== undefined && { evals: { folder: resolve(evals) } }),
    ...(options.allowActions && { makeCase: caseMaker(opened.store, exchanges, keysIn(terminal.env)) }),
  });
  const server = createServer(toNodeHandler(handler));
  await listen(server, options);
  const url = addressOf(server, options.host) + address;
  terminal.stdout.write(greeting(url, [opened.title, kept?.title, evals], options));
  if (options.open) openBrowser(url, terminal);
  await untilStopped(terminal);
  await new Promise((closed) => {
    server.close(closed);
    // Live pages keep theirs open.
    server.closeAllConnections();
  });
  await release();
  return 0;
}

/** The store of exchanges that was named, or the folder `exchanges` beside the sessions. */
export async function openExchanges(path: string, exchanges: string | undefined): Promise<OpenedPath | undefined> {
  if (exchanges !== undefined) return await openPath(exchanges);
  const beside = folderBeside(path, "exchanges");
  // A folder of that name may be anything.
  return beside === undefined ? undefined : await openPath(beside).catch(() => undefined);
}

function folderBeside(path: string, name: string): string | undefined {
  const beside = join(dirname(resolve(path)), name);
  return beside !== resolve(path) && statSync(beside, { throwIfNoEntry: false })?.isDirectory() ? beside : undefined;
}

async function listen(server: Server, { port, host }: InspectOptions): Promise<void> {
  await new Promise<void>((listening, fail) => {
    server.once("error", (error) => fail(explainListenError(error, port, host)));
    server.listen(port, host, listening);
  });
}

function addressOf(server: Server, host: string): string {
  // It listens on a port, so this is no path of a pipe.
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function greeting(
  url: string,
  [title, exchanges, evals]: readonly (string | undefined)[],
  options: InspectOptions,
): string {
  const lines = [
    `Inspecting ${title}`,
    exchanges === undefined ? undefined : `Requests and answers from ${exchanges}`,
    evals === undefined ? undefined : `Evals from ${evals}: ${url}#/evals`,
    options.allowActions ? "The page can change sessions and run agents." : "Read-only; see --allow-actions.",
    "",
    `Open ${url}`,
    "",
  ];
  return `${lines.filter((line) => line !== undefined).join("\n")}\n`;
}

function openBrowser(url: string, { stderr }: CliProcess): void {
  const [program, ...args] = BROWSERS[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, url], { detached: true, stdio: "ignore" });
  child.once("error", () => stderr.write("pollux inspect: no browser could be started; open the address yourself\n"));
  child.unref();
}

type Program = readonly [program: string, ...args: string[]];

const BROWSERS: { readonly [platform: string]: Program | undefined } = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

async function loadAgents(files: readonly string[]): Promise<Readonly<Record<string, Agent>>> {
  const agents: Record<string, Agent> = {};
  for (const file of files) {
    const found = Object.entries(await importFile(file)).filter((entry): entry is [string, Agent] => isAgent(entry[1]));
    if (found.length === 0) throw new UsageError(`${file} exports no agent: export const agent = new Agent({ … })`);
    for (const [name, agent] of found) agents[agent.name === "agent" && name !== "default" ? name : agent.name] = agent;
  }
  return agents;
}

/** By its methods: the file may have its own copy of the library. */
function isAgent(value: unknown): value is Agent {
  if (typeof value !== "object" || value === null) return false;
  const { run, stream, session } = value as { readonly [name: string]: unknown };
  return [run, stream, session].every((method) => typeof method === "function");
}

/** Makes cases for the inspector's page, as `pollux eval add` does. */
function caseMaker(
  store: SessionStore,
  exchangesStore: SessionStore | undefined,
  secrets: readonly string[],
): (run: RunForCase) => Promise<CaseDraft> {
  return async ({ sessionId, runId, suite: asked }) => {
    try {
      // By its name only: a page must not choose what is loaded.
      const { suite, file } = await chooseSuite(asked, false);
      const id = sessionId.replaceAll(/[^\w-]/g, "-").slice(0, 100);
      const folder = join(dirname(file), "cases", id);
      const proposed = await proposeCase({ store, exchangesStore, sessionId, runId, suite, secrets });
      const { differences, problem, files } = proposed;
      return { folder: relative("", folder), differences, problem, write: () => writeSessionCase(folder, files) };
    } catch (error) {
      throw error instanceof UsageError ? new TypeError(error.message, { cause: error }) : error;
    }
  };
}

/** Keys that a page must not show even if a tool returned them. */
export function keysIn(env: CliProcess["env"]): readonly string[] {
  return ["GEMINI_API_KEY", "GOOGLE_API_KEY", "COMETAPI_KEY"].flatMap((name) => env[name] || []);
}

interface InspectOptions {
  /** Undefined if the command line names none. */
  readonly path: string | undefined;
  readonly exchanges: string | undefined;
  readonly evals: string | undefined;
  readonly port: number;
  readonly host: string;
  readonly open: boolean;
  readonly allowActions: boolean;
  readonly agents: readonly string[];
}

function parseInspectOptions(args: readonly string[]): InspectOptions {
  const { values, positionals } = parseOptions(args, {
    exchanges: { type: "string" },
    evals: { type: "string" },
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    open: { type: "boolean", default: false },
    "allow-actions": { type: "boolean", default: false },
    agent: { type: "string", multiple: true, default: [] },
  });
  const [path, ...more] = positionals;
  if (more[0] !== undefined) throw new UsageError(`Unexpected argument "${more[0]}"; one path at a time`);
  const port = parseNumber("--port", values.port, 65_535);
  if (!HOSTS.includes(values.host))
    throw new UsageError(
      `--host must be one of ${HOSTS.join(", ")}, not "${values.host}": sessions hold all that was said. To show them to others, mount inspectorHandler in a server that knows its users`,
    );
  const { exchanges, evals, host, open, agent } = values;
  return { path, exchanges, evals, port, host, open, allowActions: values["allow-actions"], agents: agent };
}
