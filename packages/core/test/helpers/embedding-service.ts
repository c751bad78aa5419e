import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { endpoint, type Endpoint } from "@pollux/core";

/** A request as the service saw it. */
export interface SeenRequest {
  /** Last part of the path: model and method. */
  readonly target: string;
  readonly texts: readonly string[];
}

/** Handles a request instead of the service; returns undefined to let the service answer. */
export type Misbehavior = (response: ServerResponse, number: number, seen: SeenRequest) => unknown;

/** The vector of a text: the number at its end, or 0, and 1. */
export function vectorOf(text: string): number[] {
  return [Number(/\d+$/.exec(text)?.[0] ?? 0), 1];
}

/** The service's answer to any of its methods. */
export function answerTo({ target, texts }: SeenRequest): object {
  const [first = ""] = texts;
  if (target.endsWith(":embedContent")) return { embedding: { values: vectorOf(first) }, ...usageOf(texts) };
  if (target.endsWith(":predict"))
    return {
      predictions: texts.map((text) => ({ embeddings: { values: vectorOf(text), statistics: { token_count: 2 } } })),
    };
  return { embeddings: texts.map((text) => ({ values: vectorOf(text) })), ...usageOf(texts) };
}

function usageOf(texts: readonly string[]): object {
  return { usageMetadata: { promptTokenCount: texts.length * 2 } };
}

/** The texts of a body of any method. */
export function textsOf(body: string): string[] {
  return [...body.matchAll(/"(?:text|content)":"(.*?)"/g)].map(([, text = ""]) => text);
}

/** The embedding methods on a socket of this machine. Close it with `await using`. */
export async function embeddingService(misbehave: Misbehavior = () => undefined): Promise<EmbeddingService> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      const seen = { target: request.url?.split("/").at(-1) ?? "", texts: textsOf(body) };
      const number = requests.push(seen);
      if (misbehave(response, number, seen) === undefined) reply(response, 200, answerTo(seen));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests,
    endpoint: endpoint({ baseUrl, apiKey: "key-of-the-test" }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface EmbeddingService extends AsyncDisposable {
  readonly requests: readonly SeenRequest[];
  readonly endpoint: Endpoint;
}

/** Answers with JSON. @returns True, as a {@link Misbehavior} that answered. */
export function reply(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
  return true;
}

/** An error as the service sends it. */
export function refusal(code: number, status: string, message = "No."): object {
  return { error: { code, status, message } };
}
