import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { EngineEvent } from "@pollux/engine";

/** Where a worker serves the live events of its runs. */
export interface LiveEventsOptions {
  /** Interface to listen on. @defaultValue "127.0.0.1" */
  readonly host?: string | undefined;
  /** @defaultValue 0, any free port */
  readonly port?: number | undefined;
  /** URL at which readers reach this worker, such as `http://10.0.0.7:9081`. @defaultValue the address it listens on */
  readonly url?: string | undefined;
  /** How much of one run is kept for readers that join late or fall behind, in bytes; the oldest is dropped first. @defaultValue 262_144 */
  readonly maxBytes?: number | undefined;
}

/** The live events of one run while an attempt of it is in this process. */
export interface LiveFeed {
  /** Path for readers. It can't be guessed: only Restate reveals it, to those who may query it. */
  readonly path: string;
  push(events: readonly EngineEvent[]): void;
  /** Disconnects readers; the next attempt, if there is one, has its own feed. */
  close(): void;
}

interface Line {
  readonly place: number;
  readonly text: string;
}

const HEARTBEAT_MS = 10_000;
/** How long a run's events can be read after it has ended here, in milliseconds: readers may be about to connect. */
const LINGER_MS = 10_000;

/**
 * Serves the live events of the runs in this process, as JSON lines, from a bounded buffer: events dropped from it are gone, and a
 * reader that falls behind is disconnected and reconnects.
 */
export class LiveFeeds {
  readonly #options: LiveEventsOptions;
  readonly #feeds = new Map<string, Feed>();
  #server: Promise<Server> | undefined;
  #closed = false;

  constructor(options: LiveEventsOptions = {}) {
    this.#options = options;
  }

  /** URL of this worker; the first call starts listening. If that fails, for instance as long as the port is taken, the next call tries again. */
  async url(): Promise<string> {
    this.#server ??= this.#listen().catch((error: unknown) => {
      this.#server = undefined;
      throw error;
    });
    const { address, port } = (await this.#server).address() as AddressInfo;
    return (this.#options.url ?? `http://${address.includes(":") ? `[${address}]` : address}:${port}`).replace(
      /\/$/,
      "",
    );
  }

  open(): LiveFeed {
    const path = `/${crypto.randomUUID()}`;
    const feed = new Feed(this.#options.maxBytes ?? 262_144);
    this.#feeds.set(path, feed);
    return {
      path,
      push: (events) => feed.push(events),
      close: () => {
        feed.close();
        setTimeout(() => this.#feeds.delete(path), LINGER_MS).unref();
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    const server = await this.#server?.catch(() => undefined);
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #listen(): Promise<Server> {
    if (this.#closed) return Promise.reject(new Error("the worker is closed"));
    const { host = "127.0.0.1", port = 0 } = this.#options;
    return new Promise((resolve, reject) => {
      const server = createServer((request, response) => this.#answer(request, response));
      server.once("error", reject);
      server.listen(port, host, () => resolve(server));
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Not `new URL`, which throws for some requests that anyone could send.
    const [path = "", query] = (request.url ?? "").split("?", 2);
    const feed = this.#feeds.get(path);
    if (request.method !== "GET" || feed === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
    response.flushHeaders();
    feed.read(response, Number(new URLSearchParams(query).get("after") ?? 0));
  }
}

class Feed {
  readonly #maxBytes: number;
  /** Each reader with its heartbeat timer. */
  readonly #readers = new Map<ServerResponse, ReturnType<typeof setInterval>>();
  #lines: Line[] = [];
  #bytes = 0;
  #place = 0;
  #closed = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(events: readonly EngineEvent[]): void {
    // A step that is being aborted may still report something, but there are no readers any more.
    if (events.length === 0 || this.#closed) return;
    const text = events
      .map((event) => {
        const line = { place: ++this.#place, text: `${JSON.stringify({ place: this.#place, event })}\n` };
        this.#lines.push(line);
        this.#bytes += line.text.length;
        return line.text;
      })
      .join("");
    let gone = 0;
    while (this.#bytes > this.#maxBytes && gone < this.#lines.length)
      this.#bytes -= this.#lines[gone++]?.text.length ?? 0;
    if (gone > 0) this.#lines = this.#lines.slice(gone);
    for (const reader of this.#readers.keys()) {
      if (reader.writableLength > this.#maxBytes) reader.destroy();
      else reader.write(text);
    }
  }

  read(reader: ServerResponse, after: number): void {
    const known = this.#lines.filter(({ place }) => place > after);
    if (known.length > 0) reader.write(known.map(({ text }) => text).join(""));
    if (this.#closed) {
      reader.end();
      return;
    }
    const beat = setInterval(() => reader.write("\n"), HEARTBEAT_MS);
    beat.unref();
    this.#readers.set(reader, beat);
    reader.once("close", () => this.#forget(reader));
  }

  close(): void {
    this.#closed = true;
    for (const reader of this.#readers.keys()) {
      reader.end();
      // A slow reader stays connected until it has received everything; nothing more is written to it.
      this.#forget(reader);
    }
  }

  #forget(reader: ServerResponse): void {
    clearInterval(this.#readers.get(reader));
    this.#readers.delete(reader);
  }
}
