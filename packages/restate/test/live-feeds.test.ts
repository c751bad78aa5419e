import { connect } from "node:net";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { EngineEvent } from "@pollux/engine";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type LiveEventsOptions, LiveFeeds } from "../src/live-feeds.ts";

function event(delta: string): EngineEvent {
  return { runId: "r", step: "model:1", attempt: 1, seq: 0, event: { type: "text-delta", turn: 1, delta } };
}

describe("the live feeds of a worker", () => {
  const opened: LiveFeeds[] = [];
  const uncaught: unknown[] = [];
  const hear = (error: unknown): void => void uncaught.push(error);

  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(opened.splice(0).map((feeds) => feeds.close()));
  });

  function newFeeds(options?: LiveEventsOptions): LiveFeeds {
    const made = new LiveFeeds(options);
    opened.push(made);
    return made;
  }

  /** What is thrown where nobody can catch it ends the worker. */
  async function withoutUncaught(work: () => Promise<void>): Promise<void> {
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", hear);
    try {
      await work();
      // What is thrown by an event comes in one of the next turns.
      for (let turn = 0; turn < 10; turn++) await setImmediate();
      expect(uncaught.splice(0)).toEqual([]);
    } finally {
      process.off("uncaughtException", hear);
      for (const other of others) process.on("uncaughtException", other);
    }
  }

  test("outlive a step that says something after its attempt was cut off, while a reader is there", async () => {
    await withoutUncaught(async () => {
      const made = newFeeds();
      const feed = made.open();
      const response = await fetch((await made.url()) + feed.path);
      feed.push([event("heard")]);
      feed.close();
      feed.push([event("too late")]);
      const text = await response.text();
      expect(text.split("\n").filter((line) => line !== "")).toEqual([
        JSON.stringify({ place: 1, event: event("heard") }),
      ]);
    });
  });

  test("listen as soon as their port is free, as after a worker that ends only now", async () => {
    const before = newFeeds();
    const { port } = new URL(await before.url());
    const feeds = newFeeds({ port: Number(port) });
    await expect(feeds.url()).rejects.toThrow("EADDRINUSE");
    await before.close();
    expect(await feeds.url()).toBe(`http://127.0.0.1:${port}`);
  });

  test("outlive a reader that never reads: it gets no heartbeat after the end", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    await withoutUncaught(async () => {
      const made = newFeeds();
      const feed = made.open();
      const { port } = new URL(await made.url());
      const socket = connect(Number(port), "127.0.0.1");
      socket.pause();
      socket.write(`GET ${feed.path} HTTP/1.1\r\nhost: worker\r\n\r\n`);
      await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), 60_000);
      feed.push([event("x".repeat(200_000))]);
      feed.close();
      expect(vi.getTimerCount()).toBe(0);
      await vi.advanceTimersByTimeAsync(60_000);
      socket.destroy();
    });
  });

  test.each(["//", "/%", "/\\\\", "*", "/?after=x"])("answer a request for %s with 404", async (path) => {
    await withoutUncaught(async () => {
      const made = newFeeds();
      const { port } = new URL(await made.url());
      const socket = connect(Number(port), "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\r\n`);
      const [first] = (await once(socket, "data")) as [Buffer];
      expect(first.toString()).toMatch(/^HTTP\/1\.1 404 /);
      socket.destroy();
    });
  });
});
