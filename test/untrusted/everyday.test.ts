import { join } from "node:path";
import {
  Agent,
  type AgentOptions,
  type AnyTool,
  codeExecution,
  defineTool,
  googleSearch,
  media,
  type PendingCall,
  type Reads,
  type RunInput,
} from "@pollux/core";
import { calls, grounded, say, type ScriptedCall, type ScriptedTurn, ScriptedModel } from "@pollux/core/testing";
import { askUser } from "@pollux/tools/ask-user";
import { calculator } from "@pollux/tools/calculator";
import { fileTools } from "@pollux/tools/files";
import { httpRequest, webFetch } from "@pollux/tools/http";
import { mcpTools } from "@pollux/tools/mcp";
import { noteTools } from "@pollux/tools/notes";
import { searchTool } from "@pollux/tools/search";
import { shellTool } from "@pollux/tools/shell";
import { sqliteTools } from "@pollux/tools/sql";
import { timeTools } from "@pollux/tools/time";
import { todoList } from "@pollux/tools/todo";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { mailTool, remembered, Town } from "./town.ts";

const town = await Town.open();
afterAll(() => town[Symbol.asyncDispose]());
town.place(["Nothing to be done."]);

const OPEN = { allowPrivate: true, ports: "any" } as const;
const SEEN = [town.url("/plain"), town.url("/keys")] as const;

// The parts of a program, with its author's words, if any.
const fetch = webFetch(OPEN);
const docs = webFetch({ ...OPEN, name: "read_docs", allow: ["127.0.0.1"] });
const search = (reach?: "inside"): AnyTool =>
  searchTool({ reach, search: () => SEEN.map((uri) => ({ uri, title: "A page" })) });
const notes = noteTools();
const files = fileTools({ root: town.folder, write: true });
const shell = (needsApproval = true): ReturnType<typeof shellTool> =>
  shellTool({ cwd: town.folder, isolateProcesses: false, needsApproval });
const sql = sqliteTools({ file: join(town.folder, "shop.db") }).map(remembered);
const mail = mailTool(town);
const lookup = (reads?: Reads): AnyTool =>
  defineTool({ name: "find_order", description: "x", effects: "none", reads, run: () => ({ order: 1, paid: 20 }) });
const refund = (needsApproval?: true): AnyTool =>
  defineTool({ name: "refund", description: "x", effects: "once", needsApproval, reads: "trusted", run: () => "paid" });
const inbox = (name: string): AnyTool => defineTool({ name, description: "x", run: () => "Hello, see you at nine." });
const known = defineTool({
  name: "send_mail",
  description: "x",
  input: z.object({ to: z.string() }),
  effects: "once",
  reads: "trusted",
  reach: ({ to }) => (to.endsWith("@home.example") ? "inside" : "outside"),
  run: () => "sent",
});
const api = httpRequest({
  ...OPEN,
  name: "api",
  allow: ["127.0.0.1"],
  headers: { "x-key": "a-long-key" },
  methods: ["GET", "POST"],
});
const reader = (): AnyTool =>
  new Agent({
    name: "reader",
    // With each face.
    model: new ScriptedModel(...faces.flatMap(() => [calls(get()), say('{"stars":4}')])),
    tools: [fetch],
  }).asTool({ description: "x", output: z.object({ stars: z.number() }) });

const theirs = await desk();

async function desk(): Promise<{ readonly url: string; readonly pins: Readonly<Record<string, string>> }> {
  const list = defineTool({ name: "list_tickets", description: "x", effects: "none", run: () => "Ticket 1" });
  const write = defineTool({ name: "close_ticket", description: "x", effects: "once", run: () => "closed" });
  return await town.serve("desk", [list, write]);
}

/** The tools of a server with an account there, pinned by the author. */
async function server(options: Parameters<typeof mcpTools>[1] = {}, headers = {}): Promise<readonly AnyTool[]> {
  const client = await mcpTools({ url: theirs.url, headers }, { pins: theirs.pins, ...options });
  afterAll(() => client.close());
  return client.tools;
}
const account = { authorization: "Bearer a-long-token" };
const own = await server({}, account);
const inside = await server({ reach: ({ name }) => (name === "close_ticket" ? "inside" : undefined) }, account);
const stranger = await server({ pins: undefined, prefix: "other" }, account);

// The actions of a program.
const get = (url: string = SEEN[0]): ScriptedCall => ({ name: "web_fetch", args: { url } });
const find = (query = "weather"): ScriptedCall => ({ name: "web_search", args: { query } });
const run = (command = "true"): ScriptedCall => ({ name: "run_command", args: { command } });
const send = (to: string): ScriptedCall => ({ name: "send_mail", args: { to, text: "Yes." } });
const read: ScriptedCall = { name: "read_file", args: { path: "letter.txt" } };
const rows: ScriptedCall = { name: "sql_query", args: { sql: "SELECT 1" } };
const recall: ScriptedCall = { name: "search_notes", args: {} };
const [ANN, BOB] = ["ann@home.example", "bob@elsewhere.example"] as const;

interface Day {
  readonly tools: readonly AnyTool[];
  /** One turn per item. */
  readonly does: readonly (ScriptedCall | ScriptedTurn)[];
  readonly message?: RunInput;
  readonly agent?: Partial<AgentOptions>;
  /** Tools that need a person's approval, and how far they reach because of untrusted content; `own` is the tool's own rule. */
  readonly asks?: readonly string[];
}

const DAYS: { readonly [what: string]: Day } = {
  "research: a search, pages, another search with words from them, a page that stood nowhere": {
    tools: [search(), fetch, ...todoList().tools],
    does: [find(), get(), get(SEEN[1]), find("what the page said"), get(town.url("/composed"))],
  },
  "research with notes: each search after a page and a note": {
    tools: [search(), fetch, ...notes],
    does: [find(), get(), { name: "write_note", args: { text: "It rains." } }, find("rain"), recall, find("snow")],
    asks: ["web_search lookup"],
  },
  "research with notes, pages that were found": {
    tools: [search(), fetch, ...notes],
    does: [find(), recall, get(), get(SEEN[1])],
  },
  "research with notes, where the search may know what is searched": {
    tools: [search("inside"), fetch, ...notes],
    does: [find(), get(), recall, find("rain"), find("snow"), get(SEEN[1])],
  },
  "the same, with an address that the model has composed": {
    tools: [search("inside"), fetch, ...notes],
    does: [find(), recall, get(town.url("/composed"))],
    asks: ["web_fetch lookup"],
  },
  "research by a search of the service": {
    tools: [googleSearch(), ...todoList().tools],
    does: [grounded("It rains.", { sources: [{ uri: "https://a.example" }] })],
  },
  "an address that the person gave, after notes": {
    tools: [fetch, ...notes],
    message: `Does ${SEEN[0]} fit my notes?`,
    does: [recall, get()],
  },
  "coding: files are read and changed": {
    tools: [...files, shell(), docs],
    does: [read, { name: "write_file", args: { path: "new.txt", content: "x" } }, { name: "list_files", args: {} }],
  },
  "coding: each command, as before": {
    tools: [...files, shell(), docs],
    does: [run(), read, run(), run()],
    asks: ["run_command own", "run_command outside", "run_command outside"],
  },
  "coding: pages of hosts that are allowed": {
    tools: [...files, shell(), docs],
    does: [read, { name: "read_docs", args: { url: town.url("/composed") } }],
  },
  "coding without approvals: commands after a file": {
    tools: [...files, shell(false)],
    does: [run(), read, run()],
    asks: ["run_command outside"],
  },
  "coding in a sandbox, whose author allows it": {
    tools: [...files, shell(false)],
    does: [read, run(), run()],
    agent: { afterUntrusted: "allow" },
  },
  "coding in a sandbox, by a word on the tool alone": {
    tools: [...files, { ...shell(false), afterUntrusted: "allow" }, mail],
    does: [read, run(), send(ANN), run()],
    asks: ["send_mail outside"],
  },
  "support: a refund after a lookup that says nothing": {
    tools: [lookup(), refund()],
    does: [calls("find_order"), calls("refund")],
    asks: ["refund outside"],
  },
  "support: a refund after one that reads the shop's own data": {
    tools: [lookup("private"), refund()],
    does: [calls("find_order"), calls("refund"), calls("find_order"), calls("refund")],
  },
  "support: a refund that needs approval, with that word": {
    tools: [lookup("private"), refund(true)],
    does: [calls("find_order"), calls("refund")],
    asks: ["refund own"],
  },
  "support: a refund that needs approval, without it: one question": {
    tools: [lookup(), refund(true)],
    does: [calls("find_order"), calls("refund")],
    asks: ["refund outside"],
  },
  "mail: read, label and draft": {
    tools: [inbox("read_mail"), inbox("label"), inbox("draft"), mail],
    does: [calls("read_mail"), calls("label", "draft"), calls("draft")],
  },
  "mail: each one that is sent": {
    tools: [inbox("read_mail"), mail],
    does: [calls("read_mail"), send(ANN), send(BOB)],
    asks: ["send_mail outside", "send_mail outside"],
  },
  "mail: strangers only, by the recipient": {
    tools: [inbox("read_mail"), known],
    does: [calls("read_mail"), send(ANN), send(BOB), send("cy@home.example")],
    asks: ["send_mail outside"],
  },
  "mail that the person dictates": { tools: [mail], does: [send(ANN), send(BOB)] },
  "mail beside the page that is read: it was written before": {
    tools: [fetch, mail],
    does: [calls(get(), send(ANN))],
  },
  "mail after an attachment": {
    tools: [mail],
    message: ["Send that to Ann.", media(new Uint8Array([1]), { mimeType: "image/png" })],
    does: [send(ANN)],
    asks: ["send_mail outside"],
  },
  "mail after a reader's number": {
    tools: [reader(), mail],
    does: [{ name: "reader", args: { task: "Stars?" } }, send(ANN)],
  },
  "one MCP server: what it lists": { tools: own, does: [calls("list_tickets"), calls("list_tickets")] },
  "one MCP server: each change": {
    tools: own,
    does: [calls("list_tickets"), calls("close_ticket"), calls("close_ticket")],
    asks: ["close_ticket outside", "close_ticket outside"],
  },
  "one MCP server, whose changes are inside": {
    tools: inside,
    does: [calls("list_tickets"), calls("close_ticket"), calls("close_ticket")],
  },
  "two MCP servers: what one lists after the other": {
    tools: [...own, ...stranger.filter(({ name }) => name === "other_list_tickets")],
    does: [calls("list_tickets"), calls("other_list_tickets")],
  },
  "a database, and pages of a host that is allowed": {
    tools: [...sql, docs],
    does: [rows, { name: "read_docs", args: { url: town.url("/composed") } }],
  },
  "a database, then a search": { tools: [...sql, search()], does: [rows, find("rows")], asks: ["web_search lookup"] },
  "an API of one's own, read with a key": {
    tools: [api],
    does: [1, 2].map((page) => ({ name: "api", args: { url: town.url(`/list?page=${page}`) } })),
  },
  "an API of one's own, written to": {
    tools: [api],
    does: [
      { name: "api", args: { url: town.url("/list") } },
      { name: "api", args: { url: town.url("/list"), method: "POST", json: {} } },
    ],
    asks: ["api outside"],
  },
  "what reads nothing of strangers": {
    tools: [calculator(), ...timeTools(), askUser(), refund()],
    does: [{ name: "calculator", args: { expression: "1+1" } }, calls("current_time"), calls("refund")],
  },
  "code in the sandbox of the service": {
    tools: [codeExecution(), refund()],
    does: [calls("refund")],
  },
};

describe.each(faces)("by %s", (_face, face) => {
  test.each(Object.entries(DAYS))("%s", async (_what, { tools, does, message = "Go.", agent = {}, asks = [] }) => {
    const asked: PendingCall[] = [];
    const lines = does.map((one) => (typeof one === "object" && "batches" in one ? one : calls(one)));
    const capabilities = { builtInsWithFunctions: true };
    const model = ScriptedModel.with({ capabilities }, ...lines, say("Done."));
    const approve = (call: PendingCall): boolean => (asked.push(call), true);
    const result = await face(new Agent({ model, tools, approve, ...agent }), message);
    expect(asked.map(({ call, because }) => `${call.name} ${because?.reach ?? "own"}`)).toEqual(asks);
    expect(result.stopReason).toBe("finished");
    expect(result.toolCalls.filter(({ status }) => status !== "completed")).toEqual([]);
  });
});
