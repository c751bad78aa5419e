import { Agent, type AgentOptions, defineTool, MemoryStore, type SessionStore } from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { call, dies, empty, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { chunks, countedService } from "../helpers/counted-service.ts";
import { faces } from "../helpers/faces.ts";
import { fakeTime } from "../helpers/fake-time.ts";
import { storeLike } from "../helpers/processes.ts";
import { idsOf, tracer } from "../helpers/tracer.ts";

/** A line of the log, with the parts that every line of a run has. */
interface Line {
  readonly message: string;
  readonly runId?: string;
  readonly agent?: string;
  readonly sessionId?: string;
  readonly turn?: number;
  readonly trace_id?: string;
}

function keepLines() {
  const lines: Line[] = [];
  const line = (facts: object, message: string): void => void lines.push({ ...facts, message });
  return { lines, logger: { trace: line, debug: line, info: line, warn: line, error: line } };
}

/** Where in the trace each line is: `run`, or the name of a step. */
function places(
  lines: readonly Line[],
  traced: ReturnType<typeof tracer>,
): [message: string, place: string | undefined, turn: number | undefined][] {
  const names = [...new Set(traced.asked)];
  return lines.map((line) => {
    const place = names.find((name) =>
      Object.entries(idsOf(traced.of(name))).every(([key, value]) => line[key as keyof Line] === value),
    );
    return [line.message, place, line.turn];
  });
}

fakeTime("leaps");

describe.each(faces)("lines of the log, by %s", (_face, read) => {
  /** What a run logs, and where in its trace. */
  async function linesOf(options: Partial<AgentOptions>): Promise<ReturnType<typeof places>> {
    const { lines, logger } = keepLines();
    const traced = tracer();
    const agent = new Agent({ model: new ScriptedModel(), name: "clerk", logger, observers: [traced], ...options });
    await read(agent, "Go.", { runId: "r" }).catch(() => {});
    for (const line of lines) expect(line).toMatchObject({ runId: "r", agent: "clerk" });
    return places(lines, traced);
  }

  test("that a tool writes have its call's span, and so do those about it", async () => {
    let tries = 0;
    const look = defineTool({
      name: "look",
      description: "x",
      retry: { maxAttempts: 2 },
      effects: "none",
      run: (_, { logger }) => {
        logger.info({}, "looking");
        if (++tries === 1) throw new Error("fog");
        return "seen";
      },
    });
    const broken = defineTool({
      name: "broken",
      description: "x",
      run: () => {
        throw new Error("broken");
      },
    });
    const model = new ScriptedModel(call("look"), call("broken"), say("Done."));
    expect(await linesOf({ model, tools: [look, broken] })).toEqual([
      ["looking", "call:1.0", 1],
      ["tool failed", "call:1.0", 1],
      ["tool failed; retrying", "call:1.0", 1],
      ["looking", "call:1.0", 1],
      ["tool call", "call:1.0", 1],
      ["tool failed", "call:2.0", 2],
      ["tool call", "call:2.0", 2],
    ]);
  });

  test("about requests have their step's span: retries, changes, what was sent", async () => {
    const { model } = countedService([chunks([{ text: "Done." }])], (_, number) =>
      number === 1
        ? new Response('{"error":{"code":503,"status":"UNAVAILABLE","message":"busy"}}', { status: 503 })
        : undefined,
    );
    const lines = await linesOf({ model });
    expect(new Set(lines.map(([, ...place]) => place.join(" ")))).toEqual(new Set(["model:1 1"]));
    expect(lines.map(([message]) => message)).toEqual(
      expect.arrayContaining(["request failed, retrying", "request body", "request"]),
    );
  });

  test("about a stream that broke, an answer that cannot be used and a changed prefix", async () => {
    const model = new ScriptedModel(dies("It"), empty(), say("Done."));
    const instructions = ["a", "b", "c"];
    const lines = await linesOf({ model, hooks: { prepareTurn: () => ({ instructions: instructions.shift() }) } });
    expect(lines).toEqual([
      ["the stream broke; retrying", "model:1", 1],
      ["the answer cannot be used; retrying", "run", 1],
      ["prepareTurn changed the prefix; the service's implicit cache starts over", "model:1.1", 1],
    ]);
  });

  test("about a guardrail that intervened", async () => {
    const lines = await linesOf({
      model: new ScriptedModel(say("Done.")),
      guardrails: { output: [{ name: "rude", check: () => ({ replace: "Kind." }) }] },
    });
    expect(lines).toEqual([["a guardrail intervened", "run", 1]]);
  });

  test("about an observer that failed, in a turn and outside of one", async () => {
    const traced = tracer();
    const { lines, logger } = keepLines();
    const failing = (type: string): Observer => ({
      observe: (one) => {
        if (one.type === type) throw new Error(type);
      },
    });
    const observers = [traced, failing("step-start"), failing("run-end")];
    await read(new Agent({ model: new ScriptedModel(say("Done.")), logger, observers }), "Go.");
    expect(places(lines, traced)).toEqual([
      ["an observer failed; the run continues", "run", 1],
      ["an observer failed; the run continues", "run", undefined],
    ]);
  });

  test("of an inner agent have its own run, name and span", async () => {
    const { lines, logger } = keepLines();
    const [outer, inner] = [tracer(), tracer()];
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    const helper = new Agent({
      name: "helper",
      model: new ScriptedModel(call("look"), say("Found.")),
      tools: [look],
      logger,
      observers: [inner],
    });
    const model = new ScriptedModel(call("helper", { task: "Find." }), say("Done."));
    const agent = new Agent({
      name: "lead",
      model,
      tools: [helper.asTool({ description: "x" })],
      logger,
      observers: [outer],
    });
    await read(agent, "Go.", { runId: "r" });
    expect(lines).toMatchObject([
      { agent: "helper", runId: inner.observations[0]?.run.runId, turn: 1, ...idsOf(inner.of("call:1.0")) },
      { agent: "lead", runId: "r", turn: 1, ...idsOf(outer.of("call:1.0")) },
    ]);
    expect(lines).toHaveLength(2);
  });

  test("have the turn and no ids of a trace when there is none", async () => {
    const { lines, logger } = keepLines();
    const look = defineTool({ name: "look", description: "x", run: () => "seen" });
    await read(new Agent({ model: new ScriptedModel(call("look"), say("Done.")), tools: [look], logger }), "Go.");
    expect(lines).toMatchObject([{ message: "tool call", turn: 1 }]);
    expect(lines[0]).not.toHaveProperty("trace_id");
  });
});

describe("lines about a session's run", () => {
  /** What is logged when one function of the store fails, while an answer takes so long. */
  async function linesOf(
    changed: (store: SessionStore) => Partial<SessionStore>,
  ): Promise<[Line[], ReturnType<typeof tracer>]> {
    const { lines, logger } = keepLines();
    const traced = tracer();
    const memory = new MemoryStore();
    const abort = new AbortController();
    const agent = new Agent({ model: new ScriptedModel(hangs("Once")), name: "clerk", logger, observers: [traced] });
    const session = agent.session({ id: "s", store: storeLike(memory, changed(memory)) });
    setTimeout(() => abort.abort(new Error("enough")), 4_000);
    await session.send("Go.", { runId: "r", metadata: { order: 7 }, signal: abort.signal }).catch(() => {});
    return [lines, traced];
  }

  test.each<[string, (store: SessionStore) => Partial<SessionStore>]>([
    ["a draft could not be written", () => ({ setDraft: () => Promise.reject(new Error("disk full")) })],
    [
      "the session's lease could not be renewed; retrying",
      () => ({ setLease: () => Promise.reject(new Error("disk full")) }),
    ],
    [
      "the run's end could not be written",
      (store) => ({
        append: async (id, length, entries, options) => {
          if (JSON.stringify(entries).includes('"type":"end"')) throw new Error("disk full");
          await store.append(id, length, entries, options);
        },
      }),
    ],
  ])("have its identity and its span: %s", async (message, changed) => {
    const [lines, traced] = await linesOf(changed);
    expect(lines.filter((line) => line.message === message)).toMatchObject([
      { runId: "r", sessionId: "s", agent: "clerk", metadata: { order: 7 }, ...idsOf(traced.of("run")) },
    ]);
  });
});
