import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createEmulator, type Emulator, type EmulatorOptions } from "@pollux/emulator";
import { emulation } from "../../../examples/web-chat/server/emulation.ts";
import { AnswerGate } from "./answer-gate.ts";
import { builtPage } from "./built-page.ts";

export interface FrailWebChatOptions {
  /** The server and its page. @defaultValue "web-chat" */
  readonly example?: "web-chat" | "research-chat" | undefined;
  readonly interactions?: EmulatorOptions["interactions"];
}

/** A chat of the examples in a process that tests can kill, behind a network that they can cut. Close it with `await using`. */
export class FrailWebChat implements AsyncDisposable {
  /** The server's model service. It outlives each of the server's processes. */
  readonly emulator: Emulator;
  /** Between the server and its model. */
  readonly gate: AnswerGate;
  readonly #program: string;
  readonly #folder: string;
  readonly #page: string;
  readonly #network: Server;
  readonly #sockets: Set<Socket> = new Set();
  #child: ChildProcess | undefined;
  /** Address of the server; undefined while there is none. */
  #port: number | undefined;
  /** Nothing gets through. */
  isDown = false;

  private constructor(program: string, folder: string, page: string, emulator: Emulator, gate: AnswerGate) {
    this.emulator = emulator;
    this.gate = gate;
    this.#program = program;
    this.#folder = folder;
    this.#page = page;
    this.#network = createServer((socket) => this.#forward(socket));
  }

  static async open(options: FrailWebChatOptions = {}): Promise<FrailWebChat> {
    const { example = "web-chat", interactions } = options;
    const [folder, page] = await Promise.all([mkdtemp(join(tmpdir(), "pollux-frail-chat-")), builtPage(example)]);
    const emulator = createEmulator({ ...emulation(), interactions, delays: { chunkMs: 5 } });
    const chat = new FrailWebChat(`${example}-process.ts`, folder, page, emulator, await AnswerGate.open(emulator));
    chat.#network.listen(0, "127.0.0.1");
    await Promise.all([once(chat.#network, "listening"), chat.start()]);
    return chat;
  }

  get url(): string {
    // A server that listens on a port has one.
    return `http://localhost:${(this.#network.address() as AddressInfo).port}`;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Waits until no answer is in progress, according to the server. */
  async isIdle(): Promise<void> {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${this.#port}/api/chat`);
      const { chats } = (await response.json()) as { readonly chats: readonly { readonly state: string }[] };
      if (chats.every(({ state }) => state !== "running")) return;
      await setTimeout(100);
    }
  }

  /** Kills the server like a power failure. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = this.#port = undefined;
    if (child === undefined) return;
    const over = once(child, "close");
    child.kill("SIGKILL");
    await over;
    this.cut();
  }

  async start(): Promise<void> {
    const file = fileURLToPath(new URL(this.#program, import.meta.url));
    const args = ["--conditions=pollux-source", "--disable-warning=ExperimentalWarning", file];
    const child = spawn(process.execPath, [...args, this.gate.url, this.#folder, this.#page], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    const [url] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), once(child, "exit")]);
    if (typeof url !== "string") throw new Error("the server ended before it listened");
    this.#port = Number(new URL(url).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.cut();
    await new Promise((resolve) => this.#network.close(resolve));
    await this.gate[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #forward(socket: Socket): void {
    if (this.isDown || this.#port === undefined) return void socket.destroy();
    const server = connect(this.#port, "127.0.0.1");
    for (const [one, other] of [
      [socket, server],
      [server, socket],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
