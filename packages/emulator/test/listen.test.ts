import { afterEach, expect, test } from "vitest";
import { createEmulator, type EmulatorOptions, faults, type RunningServer, script, text } from "../src/index.ts";
import { ask, eventsIn, MODEL, textOf } from "./support.ts";

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: EmulatorOptions) {
  const emulator = createEmulator({ brain: script([text("One two three", ["One ", "two ", "three"])]), ...options });
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
  const { server, stream } = await serve({ delays: { chunkMs: 25 } });
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  const response = await stream();
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  let reads = 0;
  let body = "";
  for await (const piece of response.body ?? []) {
    reads += 1;
    body += new TextDecoder().decode(piece);
  }
  expect(reads).toBeGreaterThanOrEqual(3);
  expect(textOf(...eventsIn(body))).toBe("One two three");
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
