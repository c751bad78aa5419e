import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "@pollux/emulator";
import { onTestFinished } from "vitest";
import { geminiApi } from "@pollux/core";
import { InteractionsClient, type InteractionsClientOptions } from "../../src/index.ts";

/** Answers one request; its number is from 1. */
export type Answer = (response: ServerResponse, request: IncomingMessage, body: string) => void;

/** A server whose nth request gets the nth answer, and the last one from then on; and what it was sent. */
export async function rawServer(
  ...answers: readonly Answer[]
): Promise<{ readonly url: string; readonly sent: string[] }> {
  const sent: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      sent.push(`${request.method} ${request.url}${body === "" ? "" : ` ${body}`}`);
      const answer = answers[sent.length - 1] ?? answers.at(-1);
      answer?.(response, request, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is an object.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

/** A client of a server, whose waits are short. */
export function clientOf(url: string, options: InteractionsClientOptions = {}): InteractionsClient {
  return new InteractionsClient({
    endpoint: geminiApi({ baseUrl: url, apiKey: "secret-key-123" }),
    retry: { minDelayMs: 1, maxDelayMs: 1 },
    ...options,
  });
}

/** A client of an emulator in the same process. */
export function localClient(emulator: Emulator, options: InteractionsClientOptions = {}): InteractionsClient {
  const fetch = (url: string, init: RequestInit): Promise<Response> => emulator.fetch(url, init);
  return new InteractionsClient({ fetch, env: { GEMINI_API_KEY: "secret-key-123" }, ...options });
}

/** An answer of JSON. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
}

/** An answer of bytes, whose connection is cut behind them if it says so. */
export function bytes(text: string, end: "end" | "reset" | "silence" = "end"): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text, () => {
      if (end === "end") response.end();
      if (end === "reset") response.socket?.resetAndDestroy();
    });
    response.flushHeaders();
  };
}

/** Events as the service frames them. */
export function frames(events: readonly object[], done = true): string {
  const text = events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join("");
  return done ? `${text}event: done\ndata: [DONE]\n\n` : text;
}

/** All that a generator yields. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}
