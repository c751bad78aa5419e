import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer, Asked, Case, GeminiRequest } from "./case.ts";

/** A run of a case: where its requests go, and what has arrived. */
export interface Stage {
  readonly base: string;
  readonly asked: readonly Asked[];
}

/** The scripted API. */
export interface Stub {
  /** Opens an address that plays a case. Requests that come too late for an earlier case go to that one's address. */
  play(one: Case, onHeld: (held: NonNullable<Answer["held"]>) => void): Stage;
  close(): void;
}

/** Starts the scripted API on a free port of 127.0.0.1. */
export async function openStub(): Promise<Stub> {
  const stages: { readonly one: Case; readonly asked: Asked[]; readonly onHeld: Parameters<Stub["play"]>[1] }[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const stage = stages[Number(/^\/case-(\d+)\//.exec(request.url ?? "")?.[1])];
      if (stage === undefined || !/[gG]enerateContent/.test(request.url ?? ""))
        return response.writeHead(404).end("{}");
      const atMs = performance.now();
      // The body is only read by the cases, which expect every member to be absent.
      const parsed = JSON.parse(body) as GeminiRequest;
      const sinceFirstMs = atMs - (stage.asked[0]?.atMs ?? atMs);
      const asked: Asked = { n: stage.asked.length + 1, atMs, sinceFirstMs, request: parsed };
      stage.asked.push(asked);
      const answer = stage.one.answer(asked);
      send(answer, request, response);
      return answer.held && stage.onHeld(answer.held);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return {
    play: (one, onHeld) => {
      const asked: Asked[] = [];
      stages.push({ one, asked, onHeld });
      return { base: `http://127.0.0.1:${port}/case-${stages.length - 1}`, asked };
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

function send({ status = 200, chunks, held }: Answer, request: IncomingMessage, response: ServerResponse): void {
  const isStream = (request.url ?? "").includes(":streamGenerateContent");
  if (isStream && status === 200) {
    response.writeHead(status, { "content-type": "text/event-stream" });
    for (const one of chunks) response.write(`data: ${JSON.stringify(one)}\r\n\r\n`);
    if (held === undefined) response.end();
    return;
  }
  if (held !== undefined) return;
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(chunks.at(-1)));
}
