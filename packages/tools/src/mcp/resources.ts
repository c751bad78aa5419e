import { type ReadResourceResult, UriTemplate } from "@modelcontextprotocol/client";
import { defineTool, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";
import { LONGEST_MS } from "./call-clock.ts";
import type { Connection, Patience } from "./connection.ts";
import { McpServerError } from "./mcp-server-error.ts";
import { resourceOutput } from "./result-output.ts";
import type { McpToolsOptions } from "./server-options.ts";
import { rulesFor } from "./tool-of.ts";

/** Most resources, and most templates, in one answer of `list_resources`. */
const MOST_LISTED = 200;

/** A resource that a server offers. The server wrote all of it. */
export interface McpResource {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
  readonly bytes?: number | undefined;
}

/** A template of resource addresses, with variables as in RFC 6570. The server wrote all of it. */
export interface McpResourceTemplate extends Omit<McpResource, "uri" | "bytes"> {
  readonly uriTemplate: string;
}

/** The resources that a server offers. */
export interface McpResourceList {
  readonly resources: readonly McpResource[];
  readonly templates: readonly McpResourceTemplate[];
}

/** How a resource is read. */
export interface McpReadOptions {
  /** Values for the variables, if the address is a template. */
  readonly variables?: Readonly<Record<string, string | string[]>> | undefined;
  /** Most bytes to accept, text and media together. @defaultValue 10_000_000 */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws {McpServerError} If the server can't be reached. */
export async function listResources(connection: Connection, patience?: Patience): Promise<McpResourceList> {
  const { resources } = await connection.ask(
    "list its resources",
    (client, own) => client.listResources({}, own),
    patience,
  );
  const { resourceTemplates } = await connection.ask(
    "list its resource templates",
    // Servers with resources need not have templates, and some don't know the request.
    (client, own) => client.listResourceTemplates({}, own).catch(noTemplates),
    patience,
  );
  return {
    resources: resources.map(({ uri, name, title, description, mimeType, size }) => ({
      uri,
      name,
      title,
      description,
      mimeType,
      bytes: size,
    })),
    templates: resourceTemplates.map(({ uriTemplate, name, title, description, mimeType }) => ({
      uriTemplate,
      name,
      title,
      description,
      mimeType,
    })),
  };
}

/**
 * The contents of a resource.
 *
 * @throws {McpServerError} If the server can't be reached or has no such resource, or the resource has more than `maxBytes`.
 */
export async function readResource(
  connection: Connection,
  address: string,
  { variables, maxBytes = 10_000_000, ...patience }: McpReadOptions & Patience = {},
): Promise<ReadResourceResult["contents"]> {
  const uri = variables === undefined ? address : new UriTemplate(address).expand({ ...variables });
  const { contents } = await connection.ask(
    `read ${uri}`,
    (client, own) => client.readResource({ uri }, own),
    patience,
  );
  let bytes = 0;
  for (const one of contents)
    bytes += "text" in one ? Buffer.byteLength(one.text) : Buffer.byteLength(one.blob, "base64");
  if (bytes <= maxBytes) return contents;
  const what = `has ${bytes} bytes in ${uri}, more than ${maxBytes}: raise \`maxBytes\`, or read a smaller part`;
  throw new McpServerError(`the MCP server "${connection.name}" ${what}`, connection.name, "");
}

/** `list_resources` and `read_resource`, under the given names. */
export function resourceTools(
  connection: Connection,
  names: { readonly list: string; readonly read: string },
  options: McpToolsOptions,
): readonly Tool[] {
  const { timeoutMs = 60_000 } = options;
  const rules = (name: string) => ({
    ...rulesFor({ name, annotations: { readOnlyHint: true } }, connection, options),
    name,
    effects: "none" as const,
    timeoutMs,
  });
  const list = defineTool({
    ...rules(names.list),
    description: `Lists the resources that ${names.read} can read, and templates of further addresses.`,
    input: z.object({ query: z.string().optional().describe("Return only entries that contain this text") }),
    run: async ({ query = "" }, { signal }) => {
      const { resources, templates } = await withToolErrors((patience) => listResources(connection, patience), signal);
      const has = (one: object): boolean => JSON.stringify(one).toLowerCase().includes(query.toLowerCase());
      const [found, further] = [resources.filter(has), templates.filter(has)];
      const more = Math.max(0, found.length - MOST_LISTED) + Math.max(0, further.length - MOST_LISTED);
      return {
        resources: found.slice(0, MOST_LISTED),
        templates: further.slice(0, MOST_LISTED),
        ...(more > 0 && { more: `${more} more; narrow the list with a query` }),
      };
    },
  });
  const read = defineTool({
    ...rules(names.read),
    description: `Reads a resource by its address, from ${names.list} or from a template with its variables filled in.`,
    input: z.object({ uri: z.string().min(1).max(4_000) }),
    run: async ({ uri }, { signal }) => {
      const contents = await withToolErrors((patience) => readResource(connection, uri, patience), signal);
      const outputs = contents.map(resourceOutput);
      return outputs.length === 1 ? outputs[0] : outputs;
    },
  });
  return [list, read];
}

/** Turns a server's failure into an error for the model. The tool's own time limit aborts the signal. */
async function withToolErrors<T>(work: (patience: Patience) => Promise<T>, signal: AbortSignal): Promise<T> {
  return await work({ signal, timeoutMs: LONGEST_MS }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error instanceof McpServerError ? new ToolError(error.message, { cause: error }) : error;
  });
}

function noTemplates(error: unknown): { resourceTemplates: [] } {
  // JSON-RPC: unknown method.
  if (error instanceof Error && "code" in error && error.code === -32_601) return { resourceTemplates: [] };
  throw error;
}
