import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Logger } from "@pollux/core";

/** Most characters that are kept. */
const KEPT = 8_192;
/** Shorter values are words, not secrets. */
const SHORTEST_SECRET = 8;

/** The end of a process's stderr, without the values passed in its environment. */
export class StderrTail {
  readonly #secrets: readonly string[];
  readonly #log: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #line = "";

  constructor(secrets: readonly string[], server: string, logger: Logger | undefined) {
    this.#secrets = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
    this.#log = (line) => logger?.debug({ mcpServer: server, stderr: line }, "MCP server's stderr");
  }

  read(stream: Readable): void {
    stream.on("data", (chunk: Buffer) => this.#add(this.#decoder.write(chunk)));
    stream.on("end", () => this.#add("\n"));
    stream.on("error", () => {});
  }

  /** What was kept, trimmed. */
  text(): string {
    return this.#clean(this.#text).trim();
  }

  #add(text: string): void {
    this.#text = (this.#text + text).slice(-KEPT);
    const lines = (this.#line + text).split("\n");
    // A line that never ends is bounded too.
    this.#line = (lines.pop() ?? "").slice(-KEPT);
    for (const line of lines) if (line.trim() !== "") this.#log(this.#clean(line));
  }

  #clean(text: string): string {
    return this.#secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, "[redacted]"), text);
  }
}
