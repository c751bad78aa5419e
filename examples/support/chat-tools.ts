import { readFile } from "node:fs/promises";
import type { AnyTool, SessionStore } from "@pollux/core";

/** Where the tools of a chat work. */
export interface ChatPlace {
  readonly root: string;
  readonly session: string | undefined;
  readonly store: SessionStore | undefined;
}

/** What `--tools` takes, for the help text. */
export const TOOL_WORDS = `files, write, shell, http, calculator, time, notes, todo, sql:FILE, openapi:FILE, mcp:"COMMAND ARGS" or mcp:URL`;

/** Tools, and what has to be closed behind them. Only the modules that are asked for are loaded. */
export async function chatTools(
  list: string,
  place: ChatPlace,
  closing: AsyncDisposableStack,
): Promise<readonly AnyTool[]> {
  const tools: AnyTool[] = [];
  // A comma parts the words; within what an MCP server is started with it does not.
  for (const word of list.split(/,(?=[a-z]+(?:[:,]|$))/)) tools.push(...(await toolsOf(word.trim(), place, closing)));
  return tools;
}

async function toolsOf(
  word: string,
  { root, session, store }: ChatPlace,
  closing: AsyncDisposableStack,
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
      return (await import("@pollux/tools/sql")).sqliteTools({ file: needed(word, value) });
    case "openapi":
      return (await import("@pollux/tools/openapi")).openApiSearch(await readFile(needed(word, value), "utf8"));
    case "mcp": {
      const { mcpTools } = await import("@pollux/tools/mcp");
      const address = needed(word, value);
      const [command = "", ...args] = address.split(/\s+/);
      const server = await mcpTools(/^https?:/.test(address) ? { url: address } : { command, args }, {
        prefix: "mcp",
      });
      closing.use(server);
      return server.tools;
    }
    default:
      throw new TypeError(`--tools: there is no "${kind}"; there are ${TOOL_WORDS}`);
  }
}

function needed(word: string, value: string): string {
  if (value === "") throw new TypeError(`--tools: "${word}" needs more, as in ${TOOL_WORDS}`);
  return value;
}
