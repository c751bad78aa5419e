import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Agent, type Content } from "@pollux/core";
import { type Conversation, readConversation } from "@pollux/core/conversation";
import { SqliteStore } from "@pollux/core/node";
import { ScriptedModel } from "@pollux/core/testing";
import type { AiSdkVersion } from "@pollux/web/ai-sdk";
import { rolldown } from "rolldown";
import { bundleFor } from "../../runtimes/support/bundle-for.ts";
import { oncePerRun } from "../../support/once-per-run.ts";

/** A server process. */
interface ChatServer {
  readonly child: ChildProcess;
  readonly url: string;
  /** The last stored word of each session. */
  readonly written: ReadonlyMap<string, number>;
}

/** A point in the network traffic that triggers something. */
interface Trap {
  /** How many more bytes of answers pass. Below 0: not even the request. */
  left: number;
  readonly spring: () => void;
}

/**
 * The browser's view: the pages, and a network that leads to a server. Tests can cut connections and kill the server; another one
 * then replaces it at the same address. Close it with `await using`.
 */
export class ChatSite implements AsyncDisposable {
  readonly #folder: string;
  /** The file of the server's program. */
  readonly #program: string;
  readonly #gate: Server;
  readonly #files: ReadonlyMap<string, string>;
  readonly #store: SqliteStore;
  /** Responses to each conversation's requests. */
  readonly #open = new Map<string, Set<ServerResponse>>();
  readonly #traps = new Map<string, Trap>();
  readonly #children = new Set<ChildProcess>();
  /** Conversations whose streams clients can't follow yet. */
  readonly #held = new Map<string, Promise<void>>();
  /** Nothing gets through. */
  isDown = false;
  #server: ChatServer | undefined;
  #next: Promise<ChatServer>;
  #killed: ChatServer | undefined;

  private constructor(folder: string, program: string, files: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#program = program;
    this.#files = files;
    this.#gate = createServer((incoming, outgoing) => this.#answer(incoming, outgoing));
    this.#store = new SqliteStore(this.#path);
    this.#next = this.#start();
  }

  static async open(versions: readonly AiSdkVersion[]): Promise<ChatSite> {
    const folder = mkdtempSync(join(tmpdir(), "pollux-browser-"));
    const site = new ChatSite(folder, ...(await Promise.all([bundleServer(), bundlePages(versions)])));
    site.#gate.listen(0, "127.0.0.1");
    await once(site.#gate, "listening");
    await site.restart();
    return site;
  }

  get #path(): string {
    return join(this.#folder, "chats.db");
  }

  get url(): string {
    // A server that listens on a port has one.
    return `http://127.0.0.1:${(this.#gate.address() as AddressInfo).port}`;
  }

  /** Kills the server like a power failure, with all of its connections. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const over = once(server.child, "close");
    server.child.kill("SIGKILL");
    await over;
    this.#killed = server;
    for (const chat of this.#open.keys()) this.cut(chat);
  }

  /** The last word of a conversation that the killed server reported as stored; -1 for none. */
  lastWritten(session: string): number {
    return this.#killed?.written.get(session) ?? -1;
  }

  /** Replaces the server with a new one, which was started ahead, so this takes no time. */
  async restart(): Promise<void> {
    this.#server = await this.#next;
    this.#next = this.#start();
    this.#next.catch(() => {});
  }

  /** Cuts all connections of a conversation. */
  cut(chat: string): void {
    for (const response of this.#open.get(chat) ?? []) response.destroy();
  }

  /** Holds requests to follow a conversation. @returns A function that lets them through. */
  hold(chat: string): () => void {
    let release = (): void => {};
    this.#held.set(chat, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#held.delete(chat);
      release();
    };
  }

  /** Acts after a number of bytes of answers to a conversation. */
  trap(chat: string, bytes: number, spring: () => void): void {
    this.#traps.set(chat, { left: bytes, spring });
  }

  disarm(chat: string): void {
    this.#traps.delete(chat);
  }

  /** Sends a request to the server directly. */
  async ask(path: string): Promise<string> {
    return await (await fetch(`${this.#server?.url}${path}`)).text();
  }

  /** The contents in the log, as the model gets them. */
  async history(session: string): Promise<readonly Content[]> {
    return await this.#session(session).history();
  }

  async conversation(session: string): Promise<Conversation> {
    return await readConversation(this.#session(session));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#next.catch(() => {});
    await Promise.all(Array.from(this.#children, end));
    this.#gate.closeAllConnections();
    this.#gate.close();
    await this.#store[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #session(id: string): ReturnType<Agent["session"]> {
    return new Agent({ model: new ScriptedModel() }).session({ id, store: this.#store });
  }

  async #start(): Promise<ChatServer> {
    const args = ["--disable-warning=ExperimentalWarning", this.#program, this.#path];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.add(child);
    const written = new Map<string, number>();
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, "line")) as [string];
    lines.on("line", (line) => {
      const { session, word } = JSON.parse(line) as { readonly session: string; readonly word: number };
      written.set(session, word);
    });
    return { child, written, ...(JSON.parse(first) as { readonly url: string }) };
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { pathname } = new URL(incoming.url ?? "/", this.url);
    const file = this.#files.get(pathname);
    if (file === undefined) void this.#forward(incoming, outgoing);
    else outgoing.setHeader("content-type", pathname.endsWith(".js") ? "text/javascript" : "text/html").end(file);
  }

  async #forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const { method = "GET", url = "/", headers } = incoming;
    const chat = chatOf(url, body);
    const open = this.#open.get(chat) ?? new Set();
    this.#open.set(chat, open.add(outgoing));
    outgoing.once("close", () => open.delete(outgoing));
    const isFollowing = new URL(url, this.url).pathname.endsWith("/stream");
    const isStream = method === "POST" || isFollowing;
    if (isFollowing) await this.#held.get(chat);
    if (isStream && this.#count(chat, 0)) return void outgoing.destroy();
    if (this.isDown || this.#server === undefined) return void outgoing.destroy();
    const asked = request(`${this.#server.url}${url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.on("data", (piece: Buffer) => {
        outgoing.write(piece);
        if (isStream) this.#count(chat, piece.length);
      });
      answer.on("end", () => outgoing.end());
      answer.on("error", () => outgoing.destroy());
    });
    asked.on("error", () => outgoing.destroy());
    outgoing.once("close", () => asked.destroy());
    asked.end(body);
  }

  /** Springs the trap of a conversation after its bytes have passed. */
  #count(chat: string, bytes: number): boolean {
    const trap = this.#traps.get(chat);
    if (trap === undefined) return false;
    trap.left -= bytes;
    if (trap.left >= 0) return false;
    this.#traps.delete(chat);
    trap.spring();
    return true;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  child.kill("SIGKILL");
  await over;
}

/** The conversation of a request. */
function chatOf(url: string, body: Buffer): string {
  const [, , , , id = ""] = (url.split("?")[0] ?? "").split("/");
  if (id !== "") return id;
  const { id: given = "" } = JSON.parse(body.toString() || "{}") as { readonly id?: string };
  return given;
}

/** Bundles the server's program into one file, which starts three times as fast. @returns The file. */
async function bundleServer(): Promise<string> {
  const input = fileURLToPath(new URL("chat-process.ts", import.meta.url));
  const folder = await oncePerRun("chat-process", async (dir) => {
    const build = await rolldown({
      input,
      platform: "node",
      resolve: { conditionNames: ["pollux-source", "node", "import", "default"] },
    });
    await build.write({ dir, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
    await build.close();
  });
  return join(folder, "chat-process.mjs");
}

/** A page for each version, as an application would bundle it. */
async function bundlePages(versions: readonly AiSdkVersion[]): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const version of versions) {
    const program = fileURLToPath(new URL(`../page/v${version}.ts`, import.meta.url));
    const bundle = await bundleFor("page", program, ["pollux-source"]);
    for (const [name, code] of bundle.files) files.set(`/files-${version}/${name}`, code);
    files.set(
      `/${version}`,
      `<!doctype html><body></body><script type="module" src="/files-${version}/${bundle.entry}"></script>`,
    );
  }
  return files;
}
