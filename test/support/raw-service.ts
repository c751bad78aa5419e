import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { endpoint, gemini, type GeminiModel, type GeminiOptions } from "@pollux/core";
import { observed } from "./observed-transport.ts";
import { MODEL } from "./world.ts";

/**
 * One answer: a status with a body, chunks of a stream, or a function that writes by hand, and can wait until the client has read the
 * beginning.
 */
export type RawAnswer =
  | { readonly status?: number; readonly type?: string; readonly body: string }
  | ((response: ServerResponse, isRead: () => Promise<void>) => void | Promise<void>);

/** A server with any given answers, valid or not. Close it with `await using`. */
export interface RawService extends AsyncDisposable {
  /** Bodies of the requests, as received. */
  readonly bodies: readonly string[];
  model(id?: string, options?: GeminiOptions): GeminiModel;
}

/** Starts one on a free port of this machine. The last answer repeats. */
export async function openRawService(...answers: readonly RawAnswer[]): Promise<RawService> {
  const bodies: string[] = [];
  const answered: string[] = [];
  const fetch = observed([], answered);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (bytes: Buffer) => chunks.push(bytes));
    request.on("end", () => {
      const next = answers[Math.min(bodies.length, answers.length - 1)];
      bodies.push(Buffer.concat(chunks).toString());
      if (typeof next === "function") {
        const before = answered.length;
        return void next(response, async () => {
          while ((answered[before] ?? "") === "") await setImmediate();
        });
      }
      response.writeHead(next?.status ?? 200, { "content-type": next?.type ?? "text/event-stream" });
      response.end(next?.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    bodies,
    model: (id = MODEL, options = {}) =>
      gemini(id, {
        endpoint: endpoint({ baseUrl, apiKey: "raw" }),
        fetch,
        retry: { minDelayMs: 1, maxDelayMs: 2 },
        ...options,
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Chunks in the service's framing. */
export function eventStream(...chunks: readonly unknown[]): string {
  return chunks.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join("");
}

/** A chunk with these parts. */
export function chunk(parts: readonly object[], finishReason?: string, more: object = {}): object {
  return {
    candidates: [{ content: { role: "model", parts }, index: 0, ...(finishReason !== undefined && { finishReason }) }],
    usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 2, totalTokenCount: 6 },
    modelVersion: MODEL,
    ...more,
  };
}

/** A whole stream with one chunk that ends the turn. */
export function answer(...parts: readonly object[]): RawAnswer {
  return { body: eventStream(chunk(parts, "STOP")) };
}
