/** Uses the tools that need a machine, with one report per subpath of `@pollux/tools`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { geminiApi } from "@pollux/core";
import { createEmulator } from "@pollux/emulator";
import { fileTools } from "@pollux/tools/files";
import { fileSearchStore } from "@pollux/tools/file-search";
import { httpRequest, webFetch, type WebFetchOptions } from "@pollux/tools/http";
import { type McpAddress, type McpCommand, mcpTools } from "@pollux/tools/mcp";
import { serveMcp } from "@pollux/tools/mcp-server";
import { fileNotes, noteTools } from "@pollux/tools/notes";
import { shellTool } from "@pollux/tools/shell";
import { loadSkills } from "@pollux/tools/skills";
import { sqliteTools, sqlTools } from "@pollux/tools/sql";
import { askTool } from "./ask-tool.ts";
import { double } from "./double.ts";

/**
 * @param site - Address of the site of site.ts.
 * @param stdio - Command that serves {@link double} over stdio, by serve-stdio.ts.
 */
export async function useMachineTools(
  site: string,
  stdio: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-tools-"));
  const reports: Record<string, unknown> = {};
  const uses: Readonly<Record<string, () => Promise<unknown>>> = {
    files: async () => {
      const tools = fileTools({ root: folder, write: true });
      await askTool(tools, "write_file", { path: "a/hello.txt", content: "Hello, file.\n" });
      return {
        read: await askTool(tools, "read_file", { path: "a/hello.txt" }),
        found: await askTool(tools, "search_files", { pattern: "file" }),
        outside: await askTool(tools, "read_file", { path: "../secret" }),
      };
    },
    "file-search": async () => {
      const endpoint = geminiApi({ apiKey: "key" });
      const emulator = createEmulator();
      const store = await fileSearchStore("manuals", { endpoint, fetch: (input, init) => emulator.fetch(input, init) });
      const { uploaded } = await store.sync(join(folder, "a"));
      const { unchanged } = await store.sync(join(folder, "a"));
      return { uploaded, unchanged };
    },
    http: async () => {
      const anywhere = { allowPrivate: true, ports: "any" } as const;
      const page = async (options: WebFetchOptions, url: string): Promise<unknown> => {
        const response = await askTool([webFetch(options)], "web_fetch", { url });
        const { output } = response as { readonly output?: object };
        return output === undefined ? response : { output: { ...output, total_characters: undefined } };
      };
      const here = { ports: "any", lookup: async () => [{ address: "127.0.0.1", family: 4 as const }] } as const;
      const named = `${site.replace("127.0.0.1", "public.example")}/page`;
      return {
        page: await page(anywhere, `${site}/page`),
        json: await askTool([httpRequest(anywhere)], "http_request", { url: `${site}/cities/Oslo`, method: "GET" }),
        private: await page({}, `${site}/page`),
        privateByName: await page(here, named),
        byName: await page({ ...here, allowPrivate: true }, named),
      };
    },
    mcp: async () => {
      const [command = "", ...args] = stdio;
      return await doubled({ command, args });
    },
    "mcp-server": async () => {
      const server = await serveMcp([double], { transport: {}, name: "double", version: "1.0.0" });
      const answer = await doubled({ url: server.url ?? "" });
      await server.close();
      return answer;
    },
    shell: async () => {
      const withoutTime = (response: unknown): unknown => ({
        output: { ...(response as { readonly output: object }).output, duration_ms: undefined },
      });
      const tools = [shellTool({ cwd: folder })];
      return {
        done: withoutTime(await askTool(tools, "run_command", { command: "echo err >&2; exit 3" })),
        // Its background process holds its output open and must be ended.
        left: withoutTime(await askTool(tools, "run_command", { command: "sleep 600 & echo out" })),
      };
    },
    skills: async () => {
      mkdirSync(join(folder, "skills/greet"), { recursive: true });
      writeFileSync(
        join(folder, "skills/greet/SKILL.md"),
        '---\nname: greet\ndescription: "Greets: by name."\n---\nSay hello.\n',
      );
      const { instructions, tool } = await loadSkills(join(folder, "skills"));
      return {
        listed: instructions.split("\n").at(-1),
        read: await askTool([tool], "use_skill", { name: "greet" }),
        outside: await askTool([tool], "use_skill", { name: "greet", file: "../../secret" }),
      };
    },
    sql: async () => ({
      driver: await askDriver(),
      sqlite: await askSqlite(folder).catch((error: unknown) => String(error)),
    }),
    fileNotes: async () => {
      const path = join(folder, "notes.json");
      await askTool(noteTools({ store: fileNotes(path) }), "write_note", { text: "Ada lives in Oslo." });
      const found = await askTool(noteTools({ store: fileNotes(path) }), "search_notes", { query: "Oslo" });
      return (found as { output: { found: number } }).output.found;
    },
  };
  try {
    for (const [name, use] of Object.entries(uses)) {
      reports[name] = await use();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return reports;
}

async function doubled(at: McpAddress | McpCommand): Promise<unknown> {
  const client = await mcpTools(at);
  const answer = await askTool(client.tools, "double", { n: 21 });
  await client.close();
  return answer;
}

async function askDriver(): Promise<unknown> {
  const seen: string[] = [];
  const tools = sqlTools({
    dialect: "postgres",
    query: async (sql) => {
      seen.push(sql.split(/[ (]/, 2).join(" "));
      if (sql.startsWith("SELECT set_config")) return { rows: [{ read_only: "on" }] };
      return { rows: sql.startsWith("SELECT * FROM (") ? [{ n: 1 }] : [] };
    },
  });
  return { answer: await askTool(tools, "sql_query", { sql: "SELECT 1 AS n" }), seen };
}

async function askSqlite(folder: string): Promise<unknown> {
  const file = join(folder, "shop.db");
  writeFileSync(file, "");
  const tools = sqliteTools({ file });
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file);
  database.exec("create table customer (id integer primary key, name text); insert into customer values (1, 'Ada')");
  database.close();
  return {
    rows: await askTool(tools, "sql_query", { sql: "select name from customer" }),
    refused: await askTool(tools, "sql_query", { sql: "delete from customer" }),
  };
}
