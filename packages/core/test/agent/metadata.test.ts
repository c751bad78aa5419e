import { Agent, defineTool, MemoryStore, type RunIdentity, type RunOptions } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { call, collect, empty, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";
import { storeLike } from "../helpers/processes.ts";
import { answersTo } from "../helpers/answers.ts";

const ORDER = { order: 7, labels: ["web"] };
const look = defineTool({ name: "look", description: "Looks.", run: (_, { metadata }) => metadata ?? null });

/** A logger that keeps its lines. */
function keepLines() {
  const lines: object[] = [];
  const line = (facts: object): void => void lines.push(facts);
  return { lines, logger: { trace: line, debug: line, info: line, warn: line, error: line } };
}

describe.each(faces)("metadata of a run, by %s", (_face, read) => {
  test("is in hooks, tools, approvals, observations and every line of the log, with the run's id", async () => {
    const { lines, logger } = keepLines();
    const seen: Pick<RunIdentity, "metadata">[] = [];
    const observed: ObservedEvent[] = [];
    const agent = new Agent({
      model: new ScriptedModel(call("look"), empty(), say("Seen.")),
      tools: [{ ...look, needsApproval: () => true }],
      approve: (_, run) => (seen.push(run), true),
      instructions: (run) => (seen.push(run), "Be brief."),
      hooks: {
        beforeCall: (info) => void seen.push(info),
        afterCall: (info) => void seen.push(info),
        prepareTurn: (info) => void seen.push(info),
      },
      observers: [
        {
          observe: (observation) => {
            observed.push(observation);
            if (observation.type === "run-end") throw new Error("observer");
          },
        },
      ],
      logger,
    });
    const result = await read(agent, "Go.", { runId: "r", metadata: ORDER });
    expect(result.toolCalls).toMatchObject([{ status: "completed", output: ORDER }]);
    expect(seen.map(({ metadata }) => metadata)).toEqual(Array.from({ length: 7 }, () => ORDER));
    expect(new Set(observed.map(({ run }) => run.metadata))).toEqual(new Set([ORDER]));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line).toMatchObject({ runId: "r", metadata: ORDER });
  });

  test("passes on to runs inside", async () => {
    const { lines, logger } = keepLines();
    const inner = new Agent({
      name: "clerk",
      model: new ScriptedModel(call("look"), say("Seen.")),
      tools: [look],
      logger,
    });
    const outer = new Agent({
      model: new ScriptedModel(call("clerk", { task: "Look." }), say("Done.")),
      tools: [inner.asTool({ description: "Looks." })],
    });
    await read(outer, "Go.", { metadata: ORDER });
    expect(lines).toMatchObject([{ agent: "clerk", metadata: ORDER }]);
  });

  test("that is no object is refused before anything is done", async () => {
    const model = new ScriptedModel();
    const wrong: RunOptions = { metadata: ["order 7"] as unknown as { readonly [key: string]: unknown } };
    await expect(async () => read(new Agent({ model }), "Go.", wrong)).rejects.toThrow(
      "metadata must be a JSON object",
    );
    expect(model.requests).toEqual([]);
  });
});

test("metadata is in the first event", async () => {
  const agent = new Agent({ model: new ScriptedModel(say("Hi.")) });
  const { events } = await collect(agent.stream("Go.", { metadata: ORDER }));
  expect(events[0]).toMatchObject({ type: "run-start", metadata: ORDER });
});

describe("metadata of a session's run", () => {
  test("is stored with the run, which keeps it when another process resumes it", async () => {
    const store = new MemoryStore();
    const ask = { ...look, needsApproval: () => true };
    const open = (...turns: ScriptedTurn[]) =>
      new Agent({ model: new ScriptedModel(...turns), tools: [ask] }).session({ id: "s", store });
    await open(call("look")).send("Go.", { metadata: ORDER });
    expect(await store.load("s")).toContainEqual(expect.objectContaining({ type: "run", metadata: ORDER }));
    expect(await store.list()).toMatchObject([{ id: "s", runMetadata: ORDER }]);

    const session = open(say("Seen."), say("Bye."));
    const resumed = await collect(
      session.resumeStream(await answersTo(session, { approvals: { "call:1.0": true }, metadata: { order: 8 } })),
    );
    expect(resumed.events[0]).toMatchObject({ type: "run-start", metadata: ORDER });
    expect(resumed.result.toolCalls).toMatchObject([{ output: ORDER }]);
    const replayed = await collect(session.replay());
    expect(replayed.events[0]).toMatchObject({ metadata: ORDER });

    const next = await collect(session.stream("Bye."));
    expect(next.events[0]).not.toHaveProperty("metadata");
    expect(await store.list()).not.toMatchObject([{ runMetadata: ORDER }]);
  });

  test("is in the lines that the session logs", async () => {
    const { lines, logger } = keepLines();
    const store = new MemoryStore();
    const failing = storeLike(store, {
      append: async (id, length, entries, options) => {
        if (JSON.stringify(entries).includes('"type":"end"')) throw new Error("disk full");
        await store.append(id, length, entries, options);
      },
    });
    const model = new ScriptedModel(call("look"), say("Seen."));
    const session = new Agent({ model, tools: [look], logger }).session({ id: "s", store: failing });
    await expect(session.send("Go.", { metadata: ORDER })).rejects.toThrow();
    const own = lines.filter((line) => "err" in line);
    expect(own).toMatchObject([{ agent: "agent", sessionId: "s", metadata: ORDER }]);
  });
});
