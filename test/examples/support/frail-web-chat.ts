import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createEmulator, type Emulator, type EmulatorOptions, type RunningServer } from "@pollux/emulator";
import { buildPage } from "../../../examples/web-chat/server/build-page.ts";
import { emulation } from "../../../examples/web-chat/server/emulation.ts";

export interface FrailWebChatOptions {
  /** Milliseconds between two pieces of an answer. */
  readonly chunkMs: number;
  /** The server and its page. @defaultValue "web-chat" */
  readonly example?: "web-chat" | "research-chat" | undefined;
  readonly interactions?: EmulatorOptions["interactions"];
}

/** A chat of the examples in a process that can be killed, behind a network that can be cut. Close it with `await using`. */
export class FrailWebChat implements AsyncDisposable {
  /** What the server asks. It outlives each of the server's processes. */
  readonly emulator: Emulator;
  readonly emulatorUrl: string;
  readonly #program: string;
  readonly #folder: string;
  readonly #emulator: RunningServer;
  readonly #gate: Server;
  readonly #sockets: Set<Socket> = new Set();
  #child: ChildProcess | undefined;
  /** Of the server; undefined while there is none. */
  #port: number | undefined;
  /** Nothing gets through. */
  isDown = false;

  private constructor(program: string, folder: string, emulator: Emulator, running: RunningServer) {
    this.emulator = emulator;
    this.emulatorUrl = running.url;
    this.#program = program;
    this.#folder = folder;
    this.#emulator = running;
    this.#gate = createServer((socket) => this.#forward(socket));
  }

  static async open(options: FrailWebChatOptions): Promise<FrailWebChat> {
    const { chunkMs, example = "web-chat", interactions } = options;
    const folder = await mkdtemp(join(tmpdir(), "pollux-frail-chat-"));
    const emulator = createEmulator({ ...emulation(), interactions, delays: { chunkMs } });
    const chat = new FrailWebChat(`${example}-process.ts`, folder, emulator, await emulator.listen());
    chat.#gate.listen(0, "127.0.0.1");
    const root = fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url));
    await Promise.all([once(chat.#gate, "listening"), buildPage(join(folder, "page"), root), chat.start()]);
    return chat;
  }

  get url(): string {
    // A server that listens on a port has one.
    return `http://localhost:${(this.#gate.address() as AddressInfo).port}`;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Waits until no answer is being written, as the server itself says. */
  async isIdle(): Promise<void> {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${this.#port}/api/chat`);
      const { chats } = (await response.json()) as { readonly chats: readonly { readonly state: string }[] };
      if (chats.every(({ state }) => state !== "running")) return;
      await setTimeout(100);
    }
  }

  /** Kills the server as a power failure would. */
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
    const folders = [join(this.#folder, "data"), join(this.#folder, "page")];
    const args = ["--conditions=pollux-source", "--disable-warning=ExperimentalWarning", file];
    const child = spawn(process.execPath, [...args, this.#emulator.url, ...folders], {
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
    await new Promise((resolve) => this.#gate.close(resolve));
    await this.#emulator.close();
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
