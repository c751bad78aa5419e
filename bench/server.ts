/**
 * The service for the benchmarks, in its own process: as cheap as possible, so that the client's cost dominates. It plays the
 * scenario in the path, counts requests, and exits with its parent. The first line of output is its port; `GET /count/{tag}` returns
 * the {@link Count} of a tag and resets it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readPath, resultOf, type Scenario } from "./scenario.ts";

/** Requests with one tag. */
export interface Count {
  requests: number;
  /** Number of those to `streamGenerateContent`. */
  streamed: number;
  /** Bytes of all request bodies. */
  bytes: number;
  /** Function responses in all request bodies. */
  responses: number;
  /** Number of those with the complete result. */
  results: number;
}

const SIGNATURE = Buffer.alloc(240, "signature").toString("base64");
const USAGE = { promptTokenCount: 120, candidatesTokenCount: 12, totalTokenCount: 132 };
const RESPONSE_KEYS = ['"functionResponse"', '"function_response"'].map((key) => Buffer.from(key));

const counts = new Map<string, Count>();
const streams = new Map<string, Buffer>();

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const path = request.url ?? "";
  if (path.startsWith("/count/")) {
    const tag = path.slice("/count/".length);
    response.end(JSON.stringify(counts.get(tag) ?? newCount()));
    counts.delete(tag);
    return;
  }
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => answer(request, Buffer.concat(pieces), response));
});

function answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const path = request.url ?? "";
  const asked = readPath(path);
  if (asked === undefined) {
    response.writeHead(404).end("{}");
    return;
  }
  const { tag, scenario } = asked;
  const isStream = path.includes(":streamGenerateContent");
  const answered = RESPONSE_KEYS.reduce((sum, key) => sum + occurrences(body, key), 0);

  const count = counts.get(tag) ?? newCount();
  counts.set(tag, count);
  count.requests++;
  if (isStream) count.streamed++;
  count.bytes += body.length;
  count.responses += answered;
  if (scenario.kind === "turns") count.results += occurrences(body, resultOf(scenario.resultBytes));

  const send = (): void => {
    response.writeHead(200, { "content-type": isStream ? "text/event-stream" : "application/json; charset=UTF-8" });
    response.end(scenario.kind === "chunks" ? textOf(scenario, isStream) : turnOf(scenario, answered, isStream));
  };
  if (scenario.kind === "turns" && scenario.wait > 0) setTimeout(send, scenario.wait);
  else send();
}

function turnOf(scenario: Scenario & { kind: "turns" }, answered: number, isStream: boolean): string {
  const part =
    answered >= scenario.turns
      ? { text: "done" }
      : {
          functionCall: { id: `call-${answered}`, name: "weather", args: { city: `city-${answered}` } },
          thoughtSignature: SIGNATURE,
        };
  return framed(chunkOf(part, true), isStream);
}

/** Prepared once per scenario: 20 MB must not be built while a client is being measured. */
function textOf(scenario: Scenario & { kind: "chunks" }, isStream: boolean): Buffer {
  const key = `${scenario.chunks}x${scenario.size}${isStream}`;
  let bytes = streams.get(key);
  if (bytes === undefined) {
    const text = "x".repeat(scenario.size);
    bytes = Buffer.from(
      isStream
        ? framed(chunkOf({ text }, false), true).repeat(scenario.chunks - 1) + framed(chunkOf({ text }, true), true)
        : chunkOf({ text: text.repeat(scenario.chunks) }, true),
    );
    streams.set(key, bytes);
  }
  return bytes;
}

function chunkOf(part: object, isLast: boolean): string {
  const candidate = {
    content: { parts: [part], role: "model" },
    ...(isLast ? { finishReason: "STOP" } : {}),
    index: 0,
  };
  return JSON.stringify({
    candidates: [candidate],
    usageMetadata: USAGE,
    modelVersion: "bench",
    responseId: "bench-response",
  });
}

function framed(chunk: string, isStream: boolean): string {
  return isStream ? `data: ${chunk}\r\n\r\n` : chunk;
}

function occurrences(body: Buffer, key: Buffer | string): number {
  let found = 0;
  for (let at = body.indexOf(key); at >= 0; at = body.indexOf(key, at + key.length)) found++;
  return found;
}

function newCount(): Count {
  return { requests: 0, streamed: 0, bytes: 0, responses: 0, results: 0 };
}

process.stdin.resume().once("end", () => process.exit());
server.listen({ port: 0, host: "127.0.0.1", backlog: 8_192 }, () => {
  console.log((server.address() as AddressInfo).port);
});
