import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { SessionStore } from "@pollux/core";
import { listen } from "@pollux/core/serving-node";
import { loadOptional } from "@pollux/core/tool";
import { type CaseDraft, localInspector, type OpenedPath, openPath, type RunForCase } from "@pollux/inspector";
import { type CliProcess, UsageError } from "./command.ts";
import { optionalPackages } from "./optional-packages.ts";
import { parseNumber, startServer, untilStopped } from "./serving.ts";

const HOSTS: readonly string[] = ["127.0.0.1", "localhost", "::1"];

/** Where the page is served. */
export interface PageAddress {
  readonly port: number;
  readonly host: string;
  /** Whether to open the page in the browser. */
  readonly open: boolean;
}

/** What the page shows. */
export type PageOptions = Parameters<typeof localInspector>[0];

/** Options of commands that serve the page. */
export const ADDRESS_OPTIONS = {
  port: { type: "string", default: "0" },
  host: { type: "string", default: "127.0.0.1" },
  open: { type: "boolean", default: false },
} as const;

export const ADDRESS_HELP: string = `      --port NUMBER        port to serve on (default: a free one)
      --host ADDRESS       ${HOSTS.join(", ")} (default 127.0.0.1)
      --open               open the page in the browser`;

/** @throws {UsageError} For an address that is not of this machine. */
export function readAddress(values: {
  readonly port: string;
  readonly host: string;
  readonly open: boolean;
}): PageAddress {
  const port = parseNumber("--port", values.port, 65_535);
  if (!HOSTS.includes(values.host))
    throw new UsageError(
      `--host must be one of ${HOSTS.join(", ")}, not "${values.host}": sessions contain whole conversations. To show them to others, mount inspectorHandler in a server that knows its users`,
    );
  return { port, host: values.host, open: values.open };
}

/**
 * Serves the inspector's page until a signal stops it.
 *
 * @param name - Name of the command, for messages.
 * @param greet - The text that is printed once the page can be opened.
 */
export async function servePage(
  name: string,
  page: PageOptions,
  at: PageAddress,
  greet: (url: string) => string,
  terminal: CliProcess,
): Promise<number> {
  const { handler, path, release } = localInspector(page);
  const server = await startServer((where) => listen(handler, where), at);
  const url = server.url + path;
  terminal.stdout.write(greet(url));
  if (at.open) openBrowser(name, url, terminal);
  await untilStopped(terminal);
  await server.close();
  await release();
  return 0;
}

function openBrowser(name: string, url: string, { stderr }: CliProcess): void {
  const [program, ...args] = BROWSERS[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, url], { detached: true, stdio: "ignore" });
  child.once("error", () => stderr.write(`pollux ${name}: no browser could be started; open the address yourself\n`));
  child.unref();
}

type Program = readonly [program: string, ...args: string[]];

const BROWSERS: { readonly [platform: string]: Program | undefined } = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** The store of exchanges that was named, or the folder `exchanges` beside the sessions. */
export async function openExchanges(path: string, exchanges: string | undefined): Promise<OpenedPath | undefined> {
  if (exchanges !== undefined) return await openPath(exchanges);
  const beside = folderBeside(path, "exchanges");
  // A folder of that name may be anything.
  return beside === undefined ? undefined : await openPath(beside).catch(() => undefined);
}

/** The folder of that name beside a path, if there is one. */
export function folderBeside(path: string, name: string): string | undefined {
  const beside = join(dirname(resolve(path)), name);
  return beside !== resolve(path) && statSync(beside, { throwIfNoEntry: false })?.isDirectory() ? beside : undefined;
}

/** Makes cases for the inspector's page, as `pollux eval add` does. */
export function caseMaker(
  store: SessionStore,
  exchangesStore: SessionStore | undefined,
  secrets: readonly string[],
): (run: RunForCase) => Promise<CaseDraft> {
  const load = async () => ({ ...(await import("@pollux/evals")), ...(await import("./eval/find-suites.ts")) });
  return async ({ sessionId, runId, suite: wanted }) => {
    const { chooseSuite, proposeCase, writeSessionCase } = await loadOptional(
      optionalPackages("inspect", ["@pollux/inspector", "@pollux/evals"], "making a case"),
      load,
    );
    try {
      // By its name only: a page must not choose which file is loaded.
      const { suite, file } = await chooseSuite(wanted, false);
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
