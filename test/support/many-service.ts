import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { chunk, eventStream } from "./raw-service.ts";

/** Options of {@link openManyService}. */
export interface ManyOptions {
  /** Turns of each run: all except the last one are a call of `step`. */
  readonly turns: number;
  /** Milliseconds per answer. @defaultValue 0 */
  readonly latencyMs?: number | undefined;
  /** Refuses everything for `forMs` milliseconds, once, from request number `at` on. */
  readonly refuse?: { readonly at: number; readonly forMs: number } | undefined;
  /** Awaited before each answer. */
  readonly hold?: (() => Promise<void>) | undefined;
}

/** A counting service for many parallel runs. The text of a run's prompt is `run:` and its name. */
export interface ManyService extends AsyncDisposable {
  readonly url: string;
  readonly counts: {
    requests: number;
    /** Most requests in progress at the same time. */
    mostAtOnce: number;
    /** Number of connections. */
    sockets: number;
    refused: number;
    /** Requests in progress when the refusals started. */
    atOnceWhenRefusing: number;
    /** Largest difference in turns between the most and the least advanced run. */
    spread: number;
  };
}

/** @param names - Names of the runs, whose turns are compared. */
export async function openManyService(options: ManyOptions, names: readonly string[] = []): Promise<ManyService> {
  const counts = { requests: 0, mostAtOnce: 0, sockets: 0, refused: 0, atOnceWhenRefusing: 0, spread: 0 };
  const progress = new Progress(names);
  let atOnce = 0;
  let refusingUntil: number | undefined;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    counts.requests++;
    counts.mostAtOnce = Math.max(counts.mostAtOnce, ++atOnce);
    response.on("close", () => atOnce--);
    let body = "";
    for await (const bytes of request) body += String(bytes);
    if (options.refuse && refusingUntil === undefined && counts.requests >= options.refuse.at) {
      refusingUntil = performance.now() + options.refuse.forMs;
      counts.atOnceWhenRefusing = atOnce;
    }
    const leftMs = (refusingUntil ?? 0) - performance.now();
    if (leftMs > 0) {
      counts.refused++;
      return refuse(response, leftMs);
    }
    const done = body.split('"functionResponse"').length - 1;
    counts.spread = Math.max(counts.spread, progress.note(/run:(\w+)/.exec(body)?.[1] ?? ""));
    if (options.latencyMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.latencyMs));
    await options.hold?.();
    const part =
      done < options.turns - 1
        ? { functionCall: { name: "step", args: { done, task: "run:inner" } } }
        : { text: "done" };
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(eventStream(chunk([part], "STOP")));
  }

  const server = createServer((request, response) => void serve(request, response));
  server.on("connection", () => counts.sockets++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 10_000, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Turns of each run so far. */
class Progress {
  readonly #turns: Map<string, number>;
  /** The number of runs at each turn. */
  readonly #at: number[];

  constructor(names: readonly string[]) {
    this.#turns = new Map(names.map((name) => [name, 0]));
    this.#at = [names.length];
  }

  /** Counts one more turn. @returns The difference between the most and the least advanced run. */
  note(name: string): number {
    const turns = this.#turns.get(name);
    if (turns === undefined) return 0;
    this.#turns.set(name, turns + 1);
    this.#at[turns] = (this.#at[turns] ?? 0) - 1;
    this.#at[turns + 1] = (this.#at[turns + 1] ?? 0) + 1;
    return this.#at.findLastIndex((count) => count > 0) - this.#at.findIndex((count) => count > 0);
  }
}

function refuse(response: ServerResponse, leftMs: number): void {
  const details = [
    {
      "@type": "type.googleapis.com/google.rpc.QuotaFailure",
      violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }],
    },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${Math.ceil(leftMs) / 1000}s` },
  ];
  response.writeHead(429, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      error: { code: 429, message: "You exceeded your quota.", status: "RESOURCE_EXHAUSTED", details },
    }),
  );
}
