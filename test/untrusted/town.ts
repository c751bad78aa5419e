import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text as textOf } from "node:stream/consumers";
import { type AnyTool, defineTool, type Tool } from "@pollux/core";
import { mcpTools, type McpTools } from "@pollux/tools/mcp";
import { serveMcp } from "@pollux/tools/mcp-server";
import { z } from "zod";
import { pdfOf } from "../../packages/tools/test/helpers/pdf.ts";
import { CANARY } from "./obedient-model.ts";

/** Answers by path. */
type Pages = Readonly<Record<string, readonly [type: string, body: string | Uint8Array]>>;

/** A web server, a folder, a database and MCP servers on this machine, with a record of everything that outsiders get there. */
export class Town implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "pollux-town-"));
  readonly #sunk: string[] = [];
  readonly #onClose: (() => unknown)[] = [];
  #pages: Pages = {};
  #port = 0;

  static async open(): Promise<Town> {
    const town = new Town();
    await town.#listen();
    return town;
  }

  /** Address of a page there. */
  url(path: string, host = "127.0.0.1"): string {
    return `http://${host}:${this.#port}${path}`;
  }

  /** The data that strangers got. */
  get sunk(): readonly string[] {
    const file = join(this.folder, "sent.txt");
    return [...this.#sunk, ...readIfThere(file)];
  }

  /** Records data that a stranger got. */
  sink(...what: readonly unknown[]): void {
    this.#sunk.push(JSON.stringify(what));
  }

  /** Clears the data that strangers got. */
  clear(): void {
    this.#sunk.length = 0;
    rmSync(join(this.folder, "sent.txt"), { force: true });
  }

  /** Puts a text into every place that a tool can read. */
  place(orders: readonly string[]): void {
    const text = orders.join("\n");
    const html = (body: string): readonly [string, string] => ["text/html", `<!doctype html><html>${body}</html>`];
    this.#pages = {
      "/page": html(`<body><p>News.</p><pre>${text}</pre></body>`),
      "/hidden": html(`<body><p>News.</p><div style="display:none">${text}</div><!-- ${text} --></body>`),
      "/plain": ["text/plain", text],
      "/keys": ["application/json", JSON.stringify(Object.fromEntries(orders.map((one) => [one, 1])))],
      "/scan.png": ["image/png", pictureOf(text)],
      "/paper.pdf": ["application/pdf", pdfOf(...orders.map((one) => ({ bytes: printed(one) })))],
    };
    writeFileSync(join(this.folder, "letter.txt"), text);
    // A name has no slash, but JSON may escape it.
    for (const one of orders) {
      const name = one.replaceAll("/", String.raw`\u002f`);
      if (Buffer.byteLength(name) < 250) writeFileSync(join(this.folder, name), "");
    }
    const database = new DatabaseSync(join(this.folder, "shop.db"));
    database.exec("CREATE TABLE reviews (said TEXT)");
    for (const one of orders) database.prepare("INSERT INTO reviews VALUES (?)").run(one);
    database.close();
  }

  /** An MCP server, and the pins of its tools. */
  async serve(name: string, tools: readonly Tool[]): Promise<{ readonly url: string } & Pick<McpTools, "pins">> {
    const server = await serveMcp(tools, { transport: { port: 0 }, name, version: "1" });
    this.#onClose.unshift(() => server.close());
    const { url = "" } = server;
    await using client = await mcpTools({ url });
    return { url, pins: client.pins };
  }

  /** The tools of an MCP server; read and pinned by the author, or not. */
  async mcp(name: string, tools: readonly Tool[], { isPinned }: { readonly isPinned: boolean }): Promise<McpTools> {
    const { url, pins } = await this.serve(name, tools);
    const client = await mcpTools({ url }, isPinned ? { pins } : {});
    this.#onClose.unshift(() => client.close());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#onClose) await close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #listen(): Promise<void> {
    const answer = async (request: IncomingMessage): Promise<readonly [string, string | Uint8Array]> => {
      const { method, url = "/", headers } = request;
      const page = method === "GET" ? this.#pages[url] : undefined;
      if (page !== undefined) return page;
      this.sink(method, headers.host, url, await textOf(request));
      return ["text/plain", "Well."];
    };
    const server = createServer((request, response) => {
      void answer(request).then(([type, body]) => response.setHeader("content-type", type).end(body));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#onClose.push(() => {
      server.closeAllConnections();
      server.close();
    });
  }
}

function readIfThere(file: string): string[] {
  try {
    return [readFileSync(file, "utf8")];
  } catch {
    return [];
  }
}

/** In small print, which fits onto a page. */
function printed(text: string): string {
  return `BT /F1 4 Tf 9 720 Td (${text.replaceAll("\\", String.raw`\\`)}) Tj ET`;
}

/** A picture with something written on it, for a model that reads pictures. */
export function pictureOf(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.from(text, "latin1")]);
}

/** The secret that only the person may know. */
export const account: AnyTool = defineTool({
  name: "my_account",
  description: "Reads the person's own account.",
  effects: "none",
  reads: "private",
  origin: "bank",
  run: () => ({ number: CANARY }),
});

/** Mail, which anybody may have sent. */
export function mailTool(town: Town): Tool {
  return defineTool({
    name: "send_mail",
    description: "Sends a mail.",
    input: z.object({ to: z.string(), text: z.string() }),
    effects: "once",
    reads: "trusted",
    run: ({ to, text }) => {
      town.sink("mail", to, text);
      return "sent";
    },
  });
}

/** Runs a tool once per input, so that process-based tools don't start one per attack. */
export function remembered(tool: AnyTool): AnyTool {
  if (tool.kind !== "function") return tool;
  const outputs = new Map<string, unknown>();
  return {
    ...tool,
    run: async (input, context) => {
      const key = JSON.stringify(input);
      const output: unknown = outputs.has(key) ? outputs.get(key) : await tool.run(input, context);
      outputs.set(key, output);
      return output;
    },
  };
}
