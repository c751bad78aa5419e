import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createEmulator, type EmulatorOptions, faults, type RunningServer, script, say } from "../src/index.ts";
import { ask, eventsIn, MODEL, textOf } from "./support.ts";

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: EmulatorOptions) {
  const emulator = createEmulator({ brain: script([say("One ", "two ", "three")]), ...options });
  const server = await emulator.listen();
  servers.push(server);
  const stream = (signal?: AbortSignal): Promise<Response> =>
    fetch(`${server.url}/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`, {
      method: "POST",
      headers: { "x-goog-api-key": "k" },
      body: JSON.stringify(ask("Hi")),
      signal: signal ?? null,
    });
  return { emulator, server, stream };
}

test("serves streams chunk by chunk", async () => {
  const { server } = await serve({});
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  const body = JSON.stringify(ask("Hi"));
  const socket = connect(server.port, "127.0.0.1");
  socket.write(
    `POST /v1beta/models/${MODEL}:streamGenerateContent?alt=sse HTTP/1.1\r\nhost: x\r\nx-goog-api-key: k\r\n` +
      `connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let answer = "";
  socket.on("data", (bytes) => (answer += String(bytes)));
  await once(socket, "close");
  const [head = "", chunked = ""] = answer.split(/\r\n\r\n([^]*)/);
  expect(head.toLowerCase()).toContain("content-type: text/event-stream");
  // Each chunk as sent: a line with its length, and its bytes.
  const chunks = [...chunked.matchAll(/^[0-9a-f]+\r\n(data: .*\r\n\r\n)\r$/gm)].map(([, chunk]) => chunk ?? "");
  expect(chunks.map((chunk) => textOf(...eventsIn(chunk)))).toEqual(["One ", "two ", "three", ""]);
});

test("an early close ends the body, a reset breaks the connection", async () => {
  const { stream } = await serve({
    faults: [
      { at: 1, fault: faults.closeEarly() },
      { at: 2, fault: faults.reset() },
    ],
  });
  expect(textOf(...eventsIn(await (await stream()).text()))).toBe("One ");
  await expect((async () => (await stream()).text())()).rejects.toThrow(TypeError);
});

test("notices that the client went away", async () => {
  const { emulator, stream } = await serve({
    faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }],
  });
  const controller = new AbortController();
  const response = await stream(controller.signal);
  await response.body?.getReader().read();
  controller.abort();
  await expect.poll(() => emulator.requests[0]?.answered.complete).toBe(false);
});

test("closing ends open answers and refuses new ones", async () => {
  const { server, stream } = await serve({
    faults: [{ at: 1, fault: faults.stall({ ms: Number.POSITIVE_INFINITY }) }],
  });
  const response = await stream();
  const reading = response.text().catch((error: unknown) => error);
  await server.close();
  expect(await reading).toBeInstanceOf(TypeError);
  await expect(stream()).rejects.toThrow(TypeError);
});

test("is disposable", async () => {
  const emulator = createEmulator();
  let url = "";
  {
    await using server = await emulator.listen();
    url = server.url;
    expect((await fetch(`${url}/v1beta/models?key=k`)).status).toBe(200);
  }
  await expect(fetch(url)).rejects.toThrow(TypeError);
});

test("says which port is taken", async () => {
  const { server } = await serve({});
  await expect(createEmulator().listen({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
