import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openPath } from "@pollux/inspector";
import { type CliProcess, type Command, parseOptions, UsageError } from "./command.ts";
import { loadAgents } from "./load-agents.ts";
import { pricesIn } from "./prices.ts";
import {
  ADDRESS_HELP,
  ADDRESS_OPTIONS,
  caseMaker,
  folderBeside,
  keysIn,
  openExchanges,
  type PageAddress,
  type PageOptions,
  readAddress,
  servePage,
} from "./serve-page.ts";

/** Where `pollux chat` saves. */
export const STORE = "pollux-chats.sqlite";
/** Where `pollux eval` keeps its trials. */
const TRIALS = join(".pollux", "evals.sqlite");

const HELP = `Usage: pollux inspect [PATH] [options]

Show sessions down to the bytes, in the browser: turns, requests, tools, tokens and money, live while
they run. PATH is the folder of a JsonlStore or one of its files, the file of a SqliteStore, or recorded
traffic (default ${STORE}, where pollux chat saves, or else ${TRIALS}, where pollux eval does).

Only this machine can open the page, and only by the printed address. Nothing is changed without --allow-actions.

Options:
      --exchanges PATH     where keepExchanges writes: shows each request as it was sent
                           (default: the folder "exchanges" beside PATH, if there is one)
      --evals FOLDER       where pollux eval keeps its runs (default: the folder "evals" beside PATH, if there is one)
${ADDRESS_HELP}
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
  const prices = pricesIn(terminal.env);
  const exchanges = kept?.store ?? opened.exchanges;
  const page: PageOptions = {
    title: opened.title,
    store: opened.store,
    exchanges,
    agents,
    allowActions: options.allowActions,
    secrets: keysIn(terminal.env),
    ...(prices !== undefined && { prices }),
    ...(evals !== undefined && { evals: { folder: resolve(evals) } }),
    ...(options.allowActions && { makeCase: caseMaker(opened.store, exchanges, keysIn(terminal.env)) }),
  };
  const greet = (url: string): string => greeting(url, [opened.title, kept?.title, evals], options);
  return await servePage("inspect", page, options, greet, terminal);
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

interface InspectOptions extends PageAddress {
  /** Undefined if the command line names none. */
  readonly path: string | undefined;
  readonly exchanges: string | undefined;
  readonly evals: string | undefined;
  readonly allowActions: boolean;
  readonly agents: readonly string[];
}

function parseInspectOptions(args: readonly string[]): InspectOptions {
  const { values, positionals } = parseOptions(args, {
    exchanges: { type: "string" },
    evals: { type: "string" },
    ...ADDRESS_OPTIONS,
    "allow-actions": { type: "boolean", default: false },
    agent: { type: "string", multiple: true, default: [] },
  });
  const [path, ...more] = positionals;
  if (more[0] !== undefined) throw new UsageError(`Unexpected argument "${more[0]}"; one path at a time`);
  const { exchanges, evals, agent } = values;
  return { ...readAddress(values), path, exchanges, evals, allowActions: values["allow-actions"], agents: agent };
}
