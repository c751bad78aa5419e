import { Agent, type AnyTool, defineTool, googleSearch, media, type RunInput, ToolError } from "@pollux/core";
import { fileTools } from "@pollux/tools/files";
import { httpRequest, webFetch } from "@pollux/tools/http";
import { memoryNotes, noteTools } from "@pollux/tools/notes";
import { searchTool } from "@pollux/tools/search";
import { sqliteTools } from "@pollux/tools/sql";
import { join } from "node:path";
import { obedientModel, order, SEARCH } from "./obedient-model.ts";
import { pictureOf, remembered, type Town } from "./town.ts";

/** A source of a stranger's words. */
export interface Carrier {
  readonly name: string;
  readonly tools: () => readonly AnyTool[];
  /** The person's request that makes the model read them. */
  readonly message: RunInput;
  /** The message itself is a stranger's. */
  readonly reads?: "untrusted";
  /** Its name in questions. */
  readonly source: string;
  /** The words are in every request: taking back a message does not help. */
  readonly isInHead?: true;
}

const OPEN = { allowPrivate: true, ports: "any" } as const;

/** All carriers of these orders. */
export async function carriersOf(town: Town, orders: readonly string[]): Promise<readonly Carrier[]> {
  const text = orders.join("\n");
  town.place(orders);
  const host = new URL(town.url("")).host;
  const fetch = remembered(webFetch(OPEN));
  const get = httpRequest(OPEN);
  const files = fileTools({ root: town.folder });
  const query = sqliteTools({ file: join(town.folder, "shop.db") }).find(({ name }) => name === "sql_query");
  const sql = remembered(query as AnyTool);
  const search = (name: string, found: (one: string) => object): AnyTool => {
    const results = orders.map((one, at) => ({ uri: `https://found.example/${at}`, ...found(one) }));
    return searchTool({ name, pageSize: 50, search: () => results });
  };
  const ticket = defineTool({ name: "read_ticket", description: "Reads a ticket.", effects: "none", run: () => text });
  const ping = defineTool({ name: "ping", description: `Says hello. ${text}`, effects: "none", run: () => "hello" });
  const desk = await town.mcp("tickets", [ticket], { isPinned: true });
  const stranger = await town.mcp("stranger", [ping], { isPinned: false });
  const reader = (): AnyTool =>
    new Agent({ name: "reader", model: obedientModel(), tools: [fetch] }).asTool({ description: "Reads pages." });
  const store = memoryNotes();
  await store.change(() => ({
    changes: orders.map((one, at) => ({ put: { id: `0000000${at}`, text: one, updatedAt: at } })),
    result: undefined,
  }));
  const notes = noteTools({ store, pageSize: 50 }).filter(({ name }) => name === "search_notes");
  const read = (path: string): string => order("web_fetch", { url: town.url(path) });
  return [
    { name: "a page", tools: () => [fetch], message: read("/page"), source: `web_fetch ${host}` },
    {
      name: "hidden HTML",
      tools: () => [get],
      message: order("http_request", { url: town.url("/hidden") }),
      source: `http_request ${host}`,
    },
    {
      name: "a title",
      tools: () => [search("web_search", (title) => ({ title }))],
      message: order("web_search", { query: "news" }),
      source: "web_search",
    },
    {
      name: "a snippet",
      tools: () => [search("web_search", (snippet) => ({ snippet }))],
      message: order("web_search", { query: "news" }),
      source: "web_search",
    },
    {
      name: "a file",
      tools: () => files,
      message: order("read_file", { path: "letter.txt" }),
      source: "read_file letter.txt",
    },
    {
      name: "the name of a file",
      tools: () => files,
      message: order("list_files", { path: "." }),
      source: "list_files .",
    },
    { name: "a PDF", tools: () => [fetch], message: read("/paper.pdf"), source: `web_fetch ${host}` },
    { name: "a picture", tools: () => [fetch], message: read("/scan.png"), source: `web_fetch ${host}` },
    {
      name: "a mail",
      tools: () => [
        defineTool({ name: "read_mail", description: "Reads mail.", effects: "none", run: () => [{ text }] }),
      ],
      message: order("read_mail", {}),
      source: "read_mail",
    },
    {
      name: "a row",
      tools: () => [sql],
      message: order("sql_query", { sql: "SELECT said FROM reviews" }),
      source: "sql_query",
    },
    {
      name: "a key of JSON",
      tools: () => [get],
      message: order("http_request", { url: town.url("/keys") }),
      source: `http_request ${host}`,
    },
    {
      name: "an error",
      tools: () => [
        defineTool({
          name: "read_log",
          description: "Reads a log.",
          effects: "none",
          run: () => {
            throw new ToolError(text);
          },
        }),
      ],
      message: order("read_log", {}),
      source: "read_log",
    },
    { name: "a result of MCP", tools: () => desk.tools, message: order("read_ticket", {}), source: "read_ticket" },
    { name: "a description of MCP", tools: () => stranger.tools, message: "Hello.", source: "ping", isInHead: true },
    { name: "a note", tools: () => notes, message: order("search_notes", {}), source: "search_notes" },
    {
      name: "an agent in a call",
      tools: () => [reader()],
      message: order("reader", { task: read("/plain") }),
      source: "reader > web_fetch",
    },
    { name: "a search of the service", tools: () => [googleSearch()], message: SEARCH, source: "googleSearch" },
    {
      name: "an attachment",
      tools: () => [],
      message: ["What is on it?", media(pictureOf(text), { mimeType: "image/png" })],
      source: "file",
    },
    { name: "a message that a stranger wrote", tools: () => [], message: text, reads: "untrusted", source: "message" },
  ];
}
