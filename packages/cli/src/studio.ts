import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { googleListPrices, type SessionStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { observeAllRuns } from "@pollux/core/observers";
import { type CliProcess, type Command, parseOptions, UsageError } from "./command.ts";
import { namesService } from "./connect.ts";
import { loadAgents, reloadAgents } from "./load-agents.ts";
import { pricesIn } from "./prices.ts";
import {
  ADDRESS_HELP,
  ADDRESS_OPTIONS,
  caseMaker,
  folderBeside,
  keysIn,
  type PageAddress,
  type PageOptions,
  readAddress,
  servePage,
} from "./serve-page.ts";

/** Where sessions are saved. */
const STORE = join(".pollux", "studio.sqlite");

/** How long errors that tools threw are kept. */
const CAUSES_FOR_MS = 7 * 24 * 60 * 60 * 1000;

const HELP = `Usage: pollux studio FILE... [options]

Play with agents in the browser: talk to them, approve their calls, change their instructions, model, settings
and tools for one message, run one tool by hand, and see all of it down to the bytes. FILE is a module that
exports agents.

Without a key in the environment, the local emulator answers, which costs nothing. Tools run for real.
Nothing is sent and nothing is run before you click. Only this machine can open the page, and only by the
printed address.

Options:
      --store PATH         where sessions are kept: a folder of .jsonl files, or a .sqlite file
                           (default ${STORE}); requests and answers go to the folder "exchanges" beside it
      --answers WHO        service or emulator (default: the service if the environment has a key)
${ADDRESS_HELP}
  -h, --help               show this help

Environment:
  GEMINI_API_KEY, COMETAPI_KEY  a key of the service, or any other variable that "pollux chat" takes
  POLLUX_PRICES=INPUT,OUTPUT    what tokens cost, per million (default: google, the list prices)

Exit codes: 0 stopped by Ctrl-C, 1 cannot serve, 2 invalid command line.

Examples:
  pollux studio src/agent.ts --open
  pollux studio agents/*.ts --store sessions --answers emulator
`;

/** Serves the playground until a signal stops it. */
export const studioCommand: Command = { help: HELP, run: runStudio };

async function runStudio(args: readonly string[], terminal: CliProcess): Promise<number> {
  const { files, path, ...options } = parseStudioOptions(args);
  const agents = await loadAgents(files);
  using reloader = reloadAgents(files);
  // Now that the files are loaded: one of them may have read a key from a file.
  const answers = options.answers ?? (namesService(terminal.env) ? "service" : "emulator");
  const evals = folderBeside(path, "evals");
  const secrets = keysIn(terminal.env);
  using opened = openStore(path);
  const { store } = opened;
  const exchanges = new JsonlStore(join(dirname(resolve(path)), "exchanges"));
  const keeper = keepExchanges(exchanges, { causes: { forMs: CAUSES_FOR_MS } });
  const endKeeping = observeAllRuns(keeper);
  const page: PageOptions = {
    title: files.join(", "),
    store,
    exchanges,
    agents,
    reloadAgents: reloader.load,
    answers,
    allowActions: true,
    secrets,
    prices: pricesIn(terminal.env) ?? googleListPrices,
    ...(evals !== undefined && { evals: { folder: evals } }),
    makeCase: caseMaker(store, exchanges, secrets),
  };
  try {
    return await servePage("studio", page, options, (url) => greeting(url, path, page), terminal);
  } finally {
    endKeeping();
    await keeper.close();
  }
}

function greeting(url: string, path: string, { agents = {}, answers }: PageOptions): string {
  const who =
    answers === "service"
      ? "A message to an agent asks the service, and costs money."
      : "The local emulator answers, without a key and without cost. Tools run for real.";
  return `Agents: ${Object.keys(agents).join(", ")}\nSessions in ${path}\n${who}\n\nOpen ${url}#/play\n\n`;
}

interface OpenedStore extends Disposable {
  readonly store: SessionStore;
}

function openStore(path: string): OpenedStore {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? !/\.\w+$/.test(path);
  if (isFolder) return { store: new JsonlStore(path), [Symbol.dispose]: () => {} };
  const folder = dirname(resolve(path));
  mkdirSync(folder, { recursive: true });
  // It contains conversations.
  if (basename(folder) === ".pollux") writeFileSync(join(folder, ".gitignore"), "*\n");
  const store = new SqliteStore(path);
  return { store, [Symbol.dispose]: () => store[Symbol.dispose]() };
}

interface StudioOptions extends PageAddress {
  readonly files: readonly string[];
  /** Path of the store. */
  readonly path: string;
  readonly answers: "service" | "emulator" | undefined;
}

function parseStudioOptions(args: readonly string[]): StudioOptions {
  const { values, positionals: files } = parseOptions(args, {
    store: { type: "string", default: STORE },
    answers: { type: "string" },
    ...ADDRESS_OPTIONS,
  });
  if (files.length === 0) throw new UsageError("Name a file that exports agents: pollux studio agent.ts");
  const { answers, store } = values;
  if (answers !== undefined && answers !== "service" && answers !== "emulator")
    throw new UsageError(`--answers must be service or emulator, not "${answers}"`);
  return { ...readAddress(values), files, path: store, answers };
}
