import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Content, GenerateContentRequest } from "@pollux/core/wire";
import { type Answer, calls, createEmulator, join, say } from "@pollux/emulator";
import { type Later, later } from "./later.ts";
import type { Order, Point, Said, Seen } from "./outside-messages.ts";
import { callsOf, DONE, type PlanName, readMessage } from "./plans.ts";

// The world outside of the workers, in its own process: the model, and a service that executes items under idempotency keys. It
// records everything it sees, and can hold a run at any point.

const seen: Seen[] = [];
const applied = new Set<string>();
const holds = new Map<string, Later<void>>();
let paceMs = 0;
let asking = 0;
const quiet: Later<void>[] = [];

const emulator = createEmulator({
  largeSignatures: false,
  brain: { answer: ({ request }) => answerTo(request.contents) },
});

const server = createServer((request, response) => {
  asking++;
  response.once("close", () => {
    asking--;
    if (asking === 0) for (const one of quiet.splice(0)) one.resolve();
  });
  handle(request, response).catch((error: unknown) => {
    response.destroy();
    // A client that disconnected midway was killed.
    if (!request.socket.destroyed) console.error(error);
  });
});
server.listen(0, "127.0.0.1", () => {
  // The address of a server on a port.
  const { port } = server.address() as AddressInfo;
  tell({ is: "ready", url: `http://127.0.0.1:${port}` });
});
process.on("disconnect", () => process.exit());
process.on("message", ({ id, ...order }: Order & { readonly id: number }) => {
  void obey(order).then((done) => tell({ is: "done", id, ...done }));
});

function tell(said: Said): void {
  process.send?.(said);
}

async function obey(order: Order): Promise<{ readonly seen?: readonly Seen[] }> {
  switch (order.do) {
    case "hold":
      holds.set(`${order.run} ${order.point}`, later());
      return {};
    case "release":
      for (const [name, hold] of holds) {
        if (!isMeant(name, order)) continue;
        hold.resolve();
        holds.delete(name);
      }
      return {};
    case "pace":
      paceMs = order.ms;
      return {};
    case "mark":
      seen.push({ what: "mark", mark: order.mark });
      return {};
    case "quiet":
      if (asking > 0) await whenQuiet();
      return {};
    case "seen":
      return { seen };
  }
}

function whenQuiet(): Promise<void> {
  const one = later<void>();
  quiet.push(one);
  return one.promise;
}

function isMeant(name: string, { run, point }: Extract<Order, { do: "release" }>): boolean {
  return run === undefined || (point === undefined ? name.startsWith(`${run} `) : name === `${run} ${point}`);
}

/** @throws When the client has disconnected. */
async function gate(run: string, point: Point, response: ServerResponse): Promise<void> {
  const hold = holds.get(`${run} ${point}`);
  if (hold === undefined) return;
  tell({ is: "held", run, point });
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  await Promise.race([hold.promise, gone]);
  if (response.destroyed || response.socket?.destroyed !== false) throw new Error(`${run} has gone at ${point}`);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  // A request without an encoding yields buffers.
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  await (request.url === "/items" ? carryOut(body, response) : askModel(request, body, response));
}

async function carryOut(body: Buffer, response: ServerResponse): Promise<void> {
  // The format of the tools of `agents.ts`.
  const order = JSON.parse(body.toString()) as Pick<Extract<Seen, { what: "item" }>, "run" | "item" | "key" | "code">;
  const { run, item, key } = order;
  seen.push({ what: "item", ...order, phase: "asked", at: performance.now() });
  if (paceMs > 0) await sleep(paceMs);
  await gate(run, `item:${item}/asked`, response);
  if (!applied.has(key)) {
    applied.add(key);
    seen.push({ what: "item", ...order, phase: "done", at: performance.now() });
  }
  await gate(run, `item:${item}/done`, response);
  await gate(run, `item:${item}/told`, response);
  response.end(`item ${item} done`);
}

async function askModel(request: IncomingMessage, body: Buffer<ArrayBuffer>, response: ServerResponse): Promise<void> {
  // The emulator checks it more closely.
  const { contents } = JSON.parse(body.toString()) as GenerateContentRequest;
  const { run, plan, turn } = placeOf(contents);
  const responses = responsesIn(contents.at(-1));
  const told = contents
    .flatMap((content) => responsesIn(content))
    .flatMap((one) => /item (\d+) done/.exec(one)?.[1] ?? []);
  seen.push({ what: "model", run, turn, told: told.map(Number), responses });
  if (paceMs > 0) await sleep(paceMs);
  await gate(run, `model:${turn}/asked`, response);
  if (plan === "long_answer") return sayLong(response);
  const answer = await emulator.fetch(`http://emulator.local${request.url}`, {
    method: "POST",
    headers: Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]),
    body,
  });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  let last: Uint8Array | undefined;
  for await (const chunk of answer.body ?? []) {
    if (last !== undefined) {
      response.write(last);
      await gate(run, `model:${turn}/half`, response);
    }
    last = chunk;
  }
  await gate(run, `model:${turn}/half`, response);
  await gate(run, `model:${turn}/told`, response);
  response.end(last);
}

/** Nine megabytes in nine chunks: more than the emulator would send. */
function sayLong(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let piece = 1; piece <= 9; piece++) {
    const content = { role: "model", parts: [{ text: "x".repeat(1024 * 1024) }] };
    const candidate = { content, index: 0, ...(piece === 9 && { finishReason: "STOP" }) };
    response.write(`data: ${JSON.stringify({ candidates: [candidate] })}\r\n\r\n`);
  }
  response.end();
}

function answerTo(contents: readonly Content[]): Answer {
  const { run, plan, turn } = placeOf(contents);
  const open = callsOf(plan, run)[turn - 1];
  return open === undefined ? say(DONE) : join(say("On it, this takes a moment."), calls(...open));
}

function placeOf(contents: readonly Content[]): {
  readonly run: string;
  readonly plan: PlanName;
  readonly turn: number;
} {
  const said = contents
    .flatMap(({ parts }) => parts.map((part) => readMessage(part.text ?? "")))
    .find((one) => one !== undefined);
  if (said === undefined) throw new Error("the request names no run");
  return { ...said, turn: 1 + contents.filter(({ role }) => role === "model").length };
}

function responsesIn(content: Content | undefined): readonly string[] {
  return (content?.parts ?? []).flatMap(({ functionResponse }) =>
    functionResponse === undefined ? [] : JSON.stringify(functionResponse.response).slice(0, 400),
  );
}
