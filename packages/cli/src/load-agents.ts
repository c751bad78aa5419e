import { existsSync } from "node:fs";
import * as modules from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Agent } from "@pollux/core";
import { UsageError } from "./command.ts";
import { importFile } from "./import-file.ts";

/**
 * The agents that modules export, by the agent's name, or else by the export's.
 *
 * @param query - A new one loads them again. @defaultValue none
 * @throws {UsageError} For a file that can't be loaded, or exports no agent.
 */
export async function loadAgents(
  files: readonly string[],
  query: string = "",
): Promise<Readonly<Record<string, Agent>>> {
  const agents: Record<string, Agent> = {};
  for (const file of files) {
    const found = Object.entries(await importFile(file, query)).filter((entry): entry is [string, Agent] =>
      isAgent(entry[1]),
    );
    if (found.length === 0) throw new UsageError(`${file} exports no agent: export const agent = new Agent({ … })`);
    for (const [name, agent] of found) agents[agent.name === "agent" && name !== "default" ? name : agent.name] = agent;
  }
  return agents;
}

/** Recognized by its methods: the file may have its own copy of the library. */
function isAgent(value: unknown): value is Agent {
  if (typeof value !== "object" || value === null) return false;
  const { run, stream, session } = value as { readonly [name: string]: unknown };
  return [run, stream, session].every((method) => typeof method === "function");
}

/** Loads agents again whenever it is called, with the files of their packages; needs Node 22.15 for more than the files themselves. */
export interface AgentReloader extends Disposable {
  readonly load: () => Promise<Readonly<Record<string, Agent>>>;
}

/** Makes a reloader for files that were loaded before. */
export function reloadAgents(files: readonly string[]): AgentReloader {
  const folders = files.map((file) => `${pathToFileURL(packageFolder(file)).href}/`);
  // A reloaded file also reloads its imports: by the same query.
  const hooks = HOOKS?.({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const again = /\?reload=\d+$/.exec(context.parentURL ?? "")?.[0];
      const isOwn = folders.some((folder) => found.url.startsWith(folder)) && !found.url.includes("/node_modules/");
      return again === undefined || !isOwn || found.url.includes("?") ? found : { ...found, url: found.url + again };
    },
  });
  let loads = 0;
  return {
    load: () => loadAgents(files, `?reload=${++loads}`),
    [Symbol.dispose]: () => hooks?.deregister(),
  };
}

/** Absent before Node 22.15. */
const { registerHooks: HOOKS }: { readonly registerHooks?: typeof modules.registerHooks } = modules;

/** The folder of the package that a file is in, or of the file itself. */
function packageFolder(file: string): string {
  const own = dirname(resolve(file));
  for (let folder = own; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) return own;
  }
}
