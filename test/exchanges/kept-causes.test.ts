import {
  Agent,
  type AgentOptions,
  defineTool,
  eraseOwner,
  type Logger,
  MemoryStore,
  type SessionStore,
  ToolError,
} from "@pollux/core";
import {
  type KeepCausesOptions,
  keepExchanges,
  type KeptCause,
  readCauses,
  readExchanges,
} from "@pollux/core/exchanges";
import type { ObservedEvent, ObservedThrow } from "@pollux/core/observers";
import { call, calls, fails, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { chatHandler } from "@pollux/web";
import { agUi } from "@pollux/web/ag-ui";
import { aiSdk } from "@pollux/web/ai-sdk";
import { describe, expect, test, vi } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { fakeTime } from "../../packages/core/test/helpers/fake-time.ts";
import { storeLike } from "../../packages/core/test/helpers/processes.ts";

fakeTime("leaps");

const SECRET = "qxzvk-the-ledger-of-1911";
const GOOGLE_KEY = `AIza${"x".repeat(35)}`;
const DAY = 86_400_000;

/** A tool that throws, and the agent that calls it once. */
function throwing(thrown: () => unknown, options: Partial<AgentOptions> = {}, lines?: readonly ScriptLine[]): Agent {
  const look = defineTool({
    name: "look",
    description: "Looks.",
    run: () => {
      throw thrown();
    },
  });
  const model = new ScriptedModel(...(lines ?? [call("look"), say("Not today.")]));
  return new Agent({ model, tools: [look], ...options });
}

const failure = (): Error =>
  new Error(`no such page ${SECRET}`, { cause: new TypeError("bad shelf", { cause: "the roof" }) });

/** The kept causes of a run whose agent has the keeper. */
async function keptOf(
  read: (typeof faces)[number][1],
  thrown: () => unknown,
  causes: { readonly forMs?: number; readonly secrets?: readonly string[] } = {},
): Promise<readonly KeptCause[]> {
  const store = new MemoryStore();
  const keeper = keepExchanges(store, { causes });
  await read(throwing(thrown, { observers: [keeper] }), "Look.", { runId: "r" });
  await keeper.flush();
  return readCauses(store, "r", "r");
}

describe.each(faces)("%s", (_face, read) => {
  test("what a tool throws is kept with its stack and causes, and where it was thrown", async () => {
    const at = Date.now();
    const causes = await keptOf(read, failure, { forMs: 5000 });
    expect(causes).toEqual([
      {
        v: 1,
        type: "cause",
        at,
        until: at + 5000,
        runId: "r",
        turn: 1,
        step: "call:1.0",
        callId: "call:1.0",
        tool: "look",
        attempt: 1,
        error: {
          name: "Error",
          message: `no such page ${SECRET}`,
          stack: expect.stringContaining("kept-causes.test.ts"),
          cause: {
            name: "TypeError",
            message: "bad shelf",
            stack: expect.stringContaining("TypeError: bad shelf"),
            cause: { name: "string", message: "the roof" },
          },
        },
      },
    ]);
  });

  test("each attempt of a tool is kept, and what an author told the model only with what was behind it", async () => {
    const store = new MemoryStore();
    const keeper = keepExchanges(store, { causes: {} });
    let attempt = 0;
    const look = defineTool({
      name: "look",
      description: "Looks.",
      retry: { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 1 },
      run: () => {
        attempt++;
        throw attempt === 1 ? new Error("first") : new ToolError("closed", { cause: new Error("second") });
      },
    });
    const model = new ScriptedModel(call("look"), say("Closed."));
    await read(new Agent({ model, tools: [look], observers: [keeper] }), "Look.", { runId: "r" });
    await keeper.flush();
    expect(await readCauses(store, "r", "r")).toMatchObject([
      { attempt: 1, error: { message: "first" } },
      { attempt: 2, error: { name: "ToolError", message: "closed", cause: { message: "second" } } },
    ]);
  });

  test("what a guardrail, a hook or a model throws is kept with its step, once", async () => {
    const boom = (): never => {
      throw new Error(SECRET);
    };
    const agents: Partial<AgentOptions>[] = [
      { guardrails: { input: [{ name: "polite", check: boom }] } },
      { hooks: { beforeCall: boom } },
      { model: new ScriptedModel(fails(new Error(SECRET))) },
      { hooks: { prepareTurn: boom } },
    ];
    const kept: (readonly KeptCause[])[] = [];
    for (const options of agents) {
      const store = new MemoryStore();
      const keeper = keepExchanges(store, { causes: {} });
      await read(throwing(failure, { ...options, observers: [keeper] }), "Look.", { runId: "r" }).catch(() => {});
      await keeper.flush();
      kept.push(await readCauses(store, "r", "r"));
    }
    for (const causes of kept) expect(JSON.stringify(causes)).toContain(SECRET);
    expect(kept.map((causes) => causes.map(({ step }) => step))).toEqual([
      ["guard:1/input"],
      ["call:1.0"],
      ["model:1"],
      ["model:1"],
    ]);
  });

  test("nothing of it is in events, contents, results, logs of sessions or exchanges", async () => {
    const [store, kept] = [new MemoryStore(), new MemoryStore()];
    const keeper = keepExchanges(kept, { causes: {} });
    const events: ObservedEvent[] = [];
    const agent = throwing(failure, { observers: [keeper, { observe: (event) => void events.push(event) }] });
    const session = agent.session({ id: "s", store });
    const result = await session.send("Look.", { runId: "r" });
    await keeper.flush();
    expect(JSON.stringify(await readCauses(kept, "s", "r"))).toContain(SECRET);
    const elsewhere = [result, events, await session.history(), await store.load("s"), await store.list()];
    expect(
      JSON.stringify([...elsewhere, await kept.load("s"), (await readExchanges(kept, "s")).exchanges]),
    ).not.toContain(SECRET);
  });
});

test.each([
  ["the AI SDK's", aiSdk],
  ["AG-UI's", agUi],
])("a page by %s protocol gets nothing of it", async (_name, protocol) => {
  const kept = new MemoryStore();
  const keeper = keepExchanges(kept, { causes: {} });
  const handler = chatHandler({
    agent: throwing(failure, { observers: [keeper] }),
    store: new MemoryStore(),
    authorize: () => ({ owner: "ann" }),
    protocol: protocol(),
  });
  const message = { id: "m", role: "user", parts: [{ type: "text", text: "Look." }], content: "Look." };
  const body = {
    id: "s",
    threadId: "s",
    runId: "r",
    messages: [message],
    tools: [],
    context: [],
    state: {},
    forwardedProps: {},
  };
  const request = new Request("http://localhost/api/chat", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, trigger: "submit-message" }),
  });
  const sent = await (await handler(request)).text();
  await keeper.flush();
  expect(sent).toContain("look");
  expect(sent).not.toContain(SECRET);
  const logs = await Promise.all((await kept.list({ prefix: "causes/" })).map(({ id }) => kept.load(id)));
  expect(JSON.stringify(logs)).toContain(SECRET);
});

test("without the option nothing is kept, and observers that don't want thrown values aren't given any", async () => {
  const store = new MemoryStore();
  const keeper = keepExchanges(store);
  expect(keeper.threw).toBeUndefined();
  await throwing(failure, { observers: [keeper] }).run("Look.", { runId: "r" });
  await keeper.flush();
  expect(await store.list()).toEqual([]);
});

test("an observer gets the thrown value itself, and the run goes on when it fails", async () => {
  const error = failure();
  const thrown: ObservedThrow[] = [];
  const threw = (one: ObservedThrow): never => {
    thrown.push(one);
    throw new Error("the observer");
  };
  const result = await throwing(() => error, { observers: [{ threw }] }).run("Look.", { runId: "r" });
  expect(result.text).toBe("Not today.");
  expect(thrown).toEqual([expect.objectContaining({ error, attempt: 1 })]);
  expect(thrown[0]?.error).toBe(error);
  expect(thrown[0]?.step).toMatchObject({ name: "call:1.0", callId: "call:1.0", call: { name: "look" } });
});

test("whatever is thrown is kept within bounds, without secrets", async () => {
  const endless = new Error("again");
  endless.cause = endless;
  const hostile = new Proxy(new Error("x"), {
    get: () => {
      throw new Error("no");
    },
  });
  const [, run] = faces[0] ?? [];
  if (run === undefined) throw new Error("no face");
  const one = async (thrown: unknown): Promise<KeptCause["error"] | undefined> =>
    (await keptOf(run, () => thrown, { secrets: ["correct-horse"] }))[0]?.error;
  expect(JSON.stringify(await one(endless)).split("again").length).toBeLessThan(40);
  expect(await one(hostile)).toEqual({ name: "object", message: expect.any(String) });
  expect(await one(undefined)).toEqual({ name: "undefined", message: "" });
  expect(await one({ code: 7 })).toEqual({ name: "object", message: '{"code":7}' });
  expect(await one(new AggregateError([new Error("inner")], "all"))).toMatchObject({ cause: { message: "inner" } });
  const secret = JSON.stringify(await one(new Error(`${GOOGLE_KEY} correct-horse`, { cause: GOOGLE_KEY })));
  expect(secret).not.toContain(GOOGLE_KEY);
  expect(secret).not.toContain("correct-horse");
  expect(secret).toContain("[redacted]");
  expect(JSON.stringify(await one(new Error("long ".repeat(1_000_000)))).length).toBeLessThan(40_000);
});

test("of a run that throws all the time, the first hundred are kept", async () => {
  const store = new MemoryStore();
  const keeper = keepExchanges(store, { causes: {} });
  const many = calls(...Array.from({ length: 120 }, () => ({ name: "look", args: {} }) as const));
  await throwing(failure, { observers: [keeper], limits: { toolCalls: Infinity, repeats: Infinity } }, [
    many,
    say("No."),
  ]).run("Look.", { runId: "r" });
  await keeper.flush();
  expect(await readCauses(store, "r", "r")).toHaveLength(100);
});

describe("a cause that is over its time", () => {
  test("is not read, is removed by a run that begins later, and exchanges beside it stay", async () => {
    const store = new MemoryStore();
    await store.append("old", 0, [{ type: "exchange" }]);
    const keeper = keepExchanges(store, { causes: { forMs: DAY } });
    await throwing(failure, { observers: [keeper] }).run("Look.", { runId: "a" });
    await keeper.flush();
    vi.setSystemTime(Date.now() + DAY - 1);
    expect(await readCauses(store, "a", "a")).toHaveLength(1);
    vi.setSystemTime(Date.now() + 2);
    expect(await readCauses(store, "a", "a")).toEqual([]);
    expect(await store.list({ prefix: "causes/" })).toHaveLength(1);
    await new Agent({ model: new ScriptedModel(say("Hello.")), observers: [keeper] }).run("Hello.");
    await keeper.flush();
    expect(await store.list({ prefix: "causes/" })).toEqual([]);
    expect(await store.list()).toMatchObject([{ id: "old" }]);
  });

  test("goes with its exchanges, and with its owner; those of a session whose id continues it stay", async () => {
    const store = new MemoryStore();
    const [sessions, keeper] = [new MemoryStore(), keepExchanges(store, { causes: {} })];
    const send = (id: string): Promise<unknown> =>
      throwing(failure, { observers: [keeper] })
        .session({ id, store: sessions, owner: "ann" })
        .send("Look.", { runId: "r" });
    for (const id of ["a", "a/r", "b"]) await send(id);
    await keeper.flush();
    await keeper.delete("a");
    expect(await readCauses(store, "a", "r")).toEqual([]);
    expect(await readCauses(store, "a/r", "r")).toHaveLength(1);
    await eraseOwner("ann", { store: sessions, exchanges: store });
    expect(await store.list({ prefix: "causes/" })).toEqual([]);
  });
});

test("a run inside a call has its causes with the session, under its own id", async () => {
  const store = new MemoryStore();
  const keeper = keepExchanges(store, { causes: {} });
  const runs: string[] = [];
  const watch = { observe: ({ type, run }: ObservedEvent) => void (type === "run-start" && runs.push(run.runId)) };
  const inner = throwing(failure, { name: "inner", observers: [keeper, watch] });
  const outer = new Agent({
    model: new ScriptedModel(call("inner", { task: "Look." }), say("No.")),
    tools: [inner.asTool({ description: "Looks." })],
    observers: [keeper],
  });
  await outer.session({ id: "s", store: new MemoryStore() }).send("Look.", { runId: "r" });
  await keeper.flush();
  expect(await readCauses(store, "s", runs[0] ?? "")).toMatchObject([{ tool: "look" }]);
});

test("a store that fails is logged once, and the run is as it is", async () => {
  const said: string[] = [];
  const ignore = (): void => {};
  const logger: Logger = {
    trace: ignore,
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_facts, message) => void said.push(message ?? ""),
  };
  const fail = (): never => {
    throw new Error("full");
  };
  const store: SessionStore = storeLike(new MemoryStore(), { append: fail, deleteSessions: fail });
  const keeper = keepExchanges(store, { causes: {}, logger });
  const result = await throwing(failure, { observers: [keeper] }).run("Look.");
  await keeper.flush();
  expect(result.text).toBe("Not today.");
  expect(said).toEqual(["a cause could not be written; runs are not affected"]);
});

test.each([
  [{ forMs: 0 }, "keepExchanges(): causes.forMs must be a positive number of milliseconds"],
  [{ forMs: Infinity }, "keepExchanges(): causes.forMs must be a positive number of milliseconds"],
  [{ forDays: 1 }, 'keepExchanges(): causes: there is no option "forDays"'],
])("%j is refused", (causes, message) => {
  // A value that a program without types could pass.
  expect(() => keepExchanges(new MemoryStore(), { causes: causes as KeepCausesOptions })).toThrow(message);
});
