import { EventEmitter, once } from "node:events";
import { createServer, request as ask, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { deferred } from "../../../core/test/helpers/deferred.ts";
import {
  openPage,
  type Page,
  readChunks,
  readUntil,
  restOf,
  SteppedModel,
  textOf,
  userMessage,
} from "../handler/chat-page.ts";

async function serve(page: Page): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(toNodeHandler(page.handler)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.closeAllConnections());
  // A server that listens on a port has one.
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat` };
}

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const post = (text: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ id: "c1", messages: [userMessage(text, "m1")] }),
});

describe("a server that is asked to end", () => {
  test.each(["SIGTERM", "SIGINT"])(
    "by %s lets the answer end, takes no connections, and leaves no listener",
    async (name) => {
      const model = new SteppedModel(say("One ", "two."));
      const page = openPage(model);
      const { server, url } = await serve(page);
      const signals = new EventEmitter();
      const drained = drainOnSignal(server, page.handler, { finishMs: 60_000, timeoutMs: 60_000, process: signals });
      // Leaves an idle connection behind.
      expect(await (await fetch(url)).json()).toMatchObject({ chats: [] });
      model.say();
      const chunks = readChunks(await fetch(url, post("Count")));
      await readUntil(chunks, "One ");
      signals.emit(name);
      await expect.poll(() => server.listening).toBe(false);
      await expect(fetch(url, { headers: { connection: "close" } })).rejects.toThrow("fetch failed");
      model.finish();
      expect(textOf(await restOf(chunks))).toBe("two.");
      expect(await drained).toEqual({ ended: 1, released: 0 });
      expect(signals.eventNames()).toEqual([]);
    },
  );

  test("a second time waits no longer: the run is released, its page sees a broken connection", async () => {
    const started = deferred();
    const pay = defineTool({
      name: "pay",
      description: "Pays.",
      effects: "once",
      run: async () => {
        started.resolve();
        await new Promise(() => {});
      },
    });
    const page = openPage(undefined, { agent: new Agent({ model: new ScriptedModel(call("pay")), tools: [pay] }) });
    const { server, url } = await serve(page);
    const signals = new EventEmitter();
    const drained = drainOnSignal(server, page.handler, { finishMs: 600_000, timeoutMs: 600_000, process: signals });
    const cut = thrownBy(restOf(readChunks(await fetch(url, post("Pay")))));
    await started.promise;
    signals.emit("SIGTERM");
    signals.emit("SIGTERM");
    expect(await drained).toEqual({ ended: 0, released: 1 });
    expect(await cut).toMatchObject({ message: "terminated" });
    expect((await page.store.list())[0]).toMatchObject({ state: "running" });
  });

  test("drains all of its handlers, and counts their runs together", async () => {
    const { server } = await serve(openPage(new ScriptedModel()));
    const signals = new EventEmitter();
    const drained = drainOnSignal(
      server,
      [{ drain: async () => ({ ended: 1, released: 2 }) }, { drain: async () => ({ ended: 3, released: 4 }) }],
      { process: signals },
    );
    signals.emit("SIGTERM");
    expect(await drained).toEqual({ ended: 4, released: 6 });
  });

  test("does not wait for connections that were upgraded", async () => {
    const page = openPage();
    const { server, url } = await serve(page);
    server.on("upgrade", (_request, socket) => {
      onTestFinished(() => void socket.destroy());
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    });
    const request = ask(url, { headers: { connection: "upgrade", upgrade: "websocket" } }).end();
    const [, socket] = (await once(request, "upgrade")) as [unknown, Socket];
    const signals = new EventEmitter();
    const drained = drainOnSignal(server, page.handler, { process: signals });
    signals.emit("SIGTERM");
    expect(await drained).toEqual({ ended: 0, released: 0 });
    socket.destroy();
  });

  test("is set up with limits that can work", async () => {
    const page = openPage();
    const { server } = await serve(page);
    const signals = new EventEmitter();
    await expect(drainOnSignal(server, page.handler, { finishMs: -1, process: signals })).rejects.toThrow(
      new TypeError("finishMs must be a number of milliseconds, got -1"),
    );
    expect(signals.eventNames()).toEqual([]);
    server.close();
  });
});
