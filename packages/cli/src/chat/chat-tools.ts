import { readFile } from "node:fs/promises";
import { type AnyTool, ConfigurationError, type SessionStore } from "@pollux/core";
import { loadOptional } from "@pollux/core/tool";
import { UsageError } from "../command.ts";
import { optionalPackages } from "../optional-packages.ts";

/** Settings of the chat that its tools need. */
export interface ChatPlace {
  readonly root: string;
  readonly session: string | undefined;
  readonly store: SessionStore | undefined;
}

/** Values of `--tools`, for the help text. */
export const TOOL_WORDS = `files, write, shell, http, calculator, time, notes, todo, sql:FILE, openapi:FILE, mcp:"COMMAND ARGS" or mcp:URL`;

/** The requested tools; dispose of them when the chat is over. */
export interface ChatTools extends AsyncDisposable {
  readonly list: readonly AnyTool[];
  /** Why the default tools are missing, in sentences. */
  readonly missing?: readonly string[] | undefined;
}

/** Packages that some tools need besides `@pollux/tools`. */
const PACKAGES: { readonly [kind: string]: readonly string[] | undefined } = {
  http: ["undici", "turndown", "@mixmark-io/domino", "unpdf"],
  calculator: ["mathjs"],
  time: ["luxon"],
  mcp: ["@modelcontextprotocol/client"],
};

/** Creates the listed tools, by default the ones that read files, if they are installed. Only the modules they need are loaded. */
export async function chatTools(list: string | undefined, place: ChatPlace): Promise<ChatTools> {
  if (list === undefined)
    return await chatTools("files", place).catch((error: unknown) => {
      if (!(error instanceof ConfigurationError)) throw error;
      return { list: [], missing: [`Without files: ${error.message}`], [Symbol.asyncDispose]: async () => {} };
    });
  const servers: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  };
  const tools: AnyTool[] = [];
  try {
    // A comma separates tools, except inside an MCP server's command.
    const words = list.split(/,(?=[a-z]+(?:[:,]|$))/).map((word) => word.trim());
    for (const word of new Set(words)) {
      // `write` includes reading.
      if (word === "files" && words.includes("write")) continue;
      const kind = word.split(":")[0] ?? "";
      const packages = ["@pollux/tools", ...(PACKAGES[kind] ?? [])];
      const use = optionalPackages(`chat --tools ${kind}`, packages, `--tools ${kind}`);
      tools.push(...(await loadOptional(use, () => makeTools(word, place, servers))));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { list: tools, [Symbol.asyncDispose]: close };
}

async function makeTools(
  word: string,
  { root, session, store }: ChatPlace,
  servers: AsyncDisposable[],
): Promise<readonly AnyTool[]> {
  const [kind = "", ...rest] = word.split(":");
  const value = rest.join(":");
  switch (kind) {
    case "files":
      return (await import("@pollux/tools/files")).fileTools({ root });
    case "write":
      return (await import("@pollux/tools/files")).fileTools({ root, write: true, approve: true });
    case "shell":
      return [(await import("@pollux/tools/shell")).shellTool({ cwd: root })];
    case "http": {
      const { httpRequest, webFetch } = await import("@pollux/tools/http");
      return [webFetch(), httpRequest()];
    }
    case "calculator":
      return [(await import("@pollux/tools/calculator")).calculator()];
    case "time":
      return (await import("@pollux/tools/time")).timeTools();
    case "notes": {
      const { memoryNotes, noteTools, sessionNotes } = await import("@pollux/tools/notes");
      const kept = store !== undefined && session !== undefined;
      return noteTools({ store: kept ? sessionNotes({ store, session }) : memoryNotes() });
    }
    case "todo":
      return (await import("@pollux/tools/todo")).todoList().tools;
    case "sql":
      return (await import("@pollux/tools/sql")).sqliteTools({ file: requireValue(word, value) });
    case "openapi":
      return (await import("@pollux/tools/openapi")).openApiSearch(await readFile(requireValue(word, value), "utf8"));
    case "mcp": {
      const { mcpTools } = await import("@pollux/tools/mcp");
      const address = requireValue(word, value);
      const [command = "", ...args] = address.split(/\s+/);
      const server = await mcpTools(/^https?:/.test(address) ? { url: address } : { command, args }, {
        prefix: "mcp",
      });
      servers.push(server);
      return server.tools;
    }
    default:
      throw new UsageError(`--tools: unknown tool "${kind}"; available: ${TOOL_WORDS}`);
  }
}

function requireValue(word: string, value: string): string {
  if (value === "") throw new UsageError(`--tools: "${word}" needs a value, as in ${TOOL_WORDS}`);
  return value;
}
