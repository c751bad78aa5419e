import { AsyncLocalStorage } from "node:async_hooks";
import { Agent, defineTool, type Logger, type RunStream } from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";

/** How a reader takes the result of a stream. */
const readers: readonly (readonly [string, (stream: RunStream<unknown>) => Promise<unknown>])[] = [
  ["its result", (stream) => stream.result()],
  [
    "its events",
    async (stream) => {
      for await (const _ of stream);
      return stream.result();
    },
  ],
];

/** Streams that run an agent: what is done before, and what makes the stream. */
const requests: readonly (readonly [string, (agent: Agent) => Promise<() => RunStream<unknown>>])[] = [
  ["an agent", async (agent) => () => agent.stream("Go.")],
  ["a chat", async (agent) => () => agent.chat().stream("Go.")],
  ["a session", async (agent) => () => agent.session().stream("Go.")],
  ["a session that continues", async (agent) => () => agent.session().continueStream({ message: "Go." })],
  [
    "a session that resumes",
    async (agent) => {
      const session = agent.session();
      await session.send("Go.", { limits: { turns: 1 } });
      return () => session.resumeStream({ limits: { turns: 9 } });
    },
  ],
  [
    "a session that regenerates",
    async (agent) => {
      const session = agent.session();
      await session.send("Go.");
      return () => session.regenerateStream();
    },
  ],
];

describe.each(readers)("a stream read by %s", (_reader, read) => {
  const context = new AsyncLocalStorage<string>();

  test.each(requests)("of %s runs in the context in which it was made", async (_what, request) => {
    const seen = new Set<string | undefined>();
    const look = defineTool({ name: "look", description: "x", run: () => void seen.add(context.getStore()) });
    const observer: Observer = {
      capture: () => {
        const store = context.getStore() ?? "none";
        return (work) => context.run(store, work);
      },
      observe: () => void seen.add(context.getStore()),
    };
    const model = new ScriptedModel(call("look"), say("Done."), call("look"), say("Done."));
    const agent = new Agent({ model, tools: [look], observers: [observer] });
    const make = await request(agent);
    seen.clear();
    const stream = context.run("maker", make);
    await context.run("reader", () => read(stream));
    expect([...seen]).toEqual(["maker"]);
  });

  test.each<[string, NonNullable<Observer["capture"]>, warned: boolean]>([
    [
      "cannot capture anything",
      () => {
        throw new Error("mine");
      },
      true,
    ],
    [
      "throws when the run begins",
      () => () => {
        throw new Error("mine");
      },
      true,
    ],
    ["never calls the work", () => () => {}, false],
    [
      "calls the work twice and throws",
      () => (work) => {
        work();
        work();
        throw new Error("mine");
      },
      true,
    ],
  ])("runs once when an observer %s", async (_what, capture, warned) => {
    const warn = vi.fn<Logger["warn"]>();
    const logger = { trace() {}, debug() {}, info() {}, warn, error() {} };
    const model = new ScriptedModel(say("Done."));
    const agent = new Agent({ model, observers: [{ capture }], logger });
    expect(await read(agent.stream("Go."))).toMatchObject({ text: "Done." });
    expect(model.requests).toHaveLength(1);
    expect(warn.mock.calls.length > 0).toBe(warned);
  });
});
