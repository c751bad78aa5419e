import { Agent, ApiStatusError, defineTool, MemoryStore, type RunStream, type SessionStore } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import {
  assertObservations,
  call,
  calls,
  dies,
  empty,
  fails,
  hangs,
  say,
  ScriptedModel,
  type ScriptedTurn,
} from "@pollux/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryEngine } from "../../../../engine/test/memory-engine.ts";
import { fakeTime } from "../../helpers/fake-time.ts";
import { Processes, storeLike } from "../../helpers/processes.ts";
import { tracer } from "../../helpers/tracer.ts";

fakeTime("leaps");

const busy = new ApiStatusError("busy", { status: 503, retryable: true });
const anyScript: fc.Arbitrary<readonly ScriptedTurn[]> = fc.array(
  fc.constantFrom(
    call("look"),
    calls("look", "slow", "crash"),
    calls("stuck", "once"),
    calls("ask", "look"),
    calls({ name: "helper", args: { task: "Find." } }, "slow"),
    say("Said ", "it."),
    empty(),
    dies("It"),
    hangs("It"),
    fails(busy),
    fails(new Error("no")),
  ),
  { minLength: 1, maxLength: 5 },
);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An agent whose tools do all that tools can do, with one inside it, and what is observed of both. */
function team(script: readonly ScriptedTurn[]) {
  const traced = tracer();
  const observers = [traced];
  const tool = (name: string, run: () => unknown, more: object = {}) =>
    defineTool({ name, description: "x", run, ...more });
  const tools = [
    tool("look", () => "seen"),
    tool("slow", () => sleep(300)),
    tool("stuck", () => new Promise(() => {}), { timeoutMs: 200 }),
    tool("once", () => "done", { effects: "once" }),
    tool("ask", () => "allowed", { needsApproval: true }),
    tool("crash", () => {
      throw new Error("crash");
    }),
  ];
  const limits = { turns: 6, wallTimeMs: 2_000 };
  const helper = new Agent({
    name: "helper",
    model: new ScriptedModel(calls("slow", "crash"), hangs("Found.")),
    tools,
    observers,
    limits: { ...limits, wallTimeMs: 500 },
  });
  const model = new ScriptedModel(...script, say("End."));
  const all = [...tools, helper.asTool({ description: "x" })];
  return { ...traced, helper, agent: new Agent({ model, tools: all, observers, limits }) };
}

/** Reads a run in one of the ways in which runs are read, and left. */
type Reader = "result" | "events" | "nobody" | number;
const anyReader: fc.Arbitrary<Reader> = fc.oneof(fc.constantFrom<Reader>("result", "events", "nobody"), fc.nat(12));

async function readAs(reader: Reader, run: RunStream<unknown>): Promise<void> {
  if (reader === "nobody") return;
  if (reader === "result") return void (await run.result());
  let left = reader === "events" ? Infinity : reader;
  for await (const _ of run) if (left-- <= 0) break;
}

/** Checks that all that began has ended once, and that each beginning was asked about once. */
function check({ observations, asked }: ReturnType<typeof tracer>): void {
  assertObservations(observations);
  const count = (type: ObservedEvent["type"]): number => observations.filter((one) => one.type === type).length;
  expect(count("run-end")).toBe(count("run-start"));
  expect(count("step-end")).toBe(count("step-start"));
  expect(asked).toHaveLength(count("run-start") + count("step-start"));
}

/** Longer than anything here takes. */
const settled = (): Promise<void> => sleep(60_000);

describe("each run and step that starts ends once", () => {
  test("in memory, however it is read, aborted or left", async () => {
    await fc.assert(
      fc.asyncProperty(anyScript, anyReader, fc.option(fc.nat(1_500)), async (script, reader, abortMs) => {
        const { agent, ...traced } = team(script);
        const abort = new AbortController();
        if (abortMs !== null) setTimeout(() => abort.abort(new Error("enough")), abortMs);
        await readAs(reader, agent.stream("Go.", { signal: abort.signal })).catch(() => {});
        await settled();
        check(traced);
        expect(traced.observations.length > 0).toBe(reader !== "nobody");
      }),
      { numRuns: 60 },
    );
  });

  test("in a session whose store fails or is taken over, and when it is resumed", async () => {
    const anyFault = fc.option(fc.tuple(fc.constantFrom("fails", "is taken over", "is aborted"), fc.nat(6)));
    await fc.assert(
      fc.asyncProperty(anyScript, anyReader, anyFault, async (script, reader, fault) => {
        const [what, when] = fault ?? [];
        const processes = new Processes(new MemoryStore());
        const { store, seemDead } = processes.start();
        const other = team([]);
        const abort = new AbortController();
        let appends = 0;
        const append: SessionStore["append"] = async (...args) => {
          if (appends++ !== when) return await store.append(...args);
          if (what === "fails") throw new Error("the disk is full");
          if (what === "is aborted") abort.abort(new Error("enough"));
          if (what === "is taken over") {
            seemDead();
            const session = other.agent.session({ id: "s", store: processes.start().store });
            await session.send("Else.").catch(() => {});
          }
          await store.append(...args);
        };
        const { agent, ...traced } = team(script);
        const session = agent.session({ id: "s", store: storeLike(store, { append }) });
        await readAs(reader, session.stream("Go.", { signal: abort.signal })).catch(() => {});
        await settled();
        check(traced);
        check(other);

        const next = team([]);
        const again = next.agent.session({ id: "s", store: processes.start().store });
        const approvals = Object.fromEntries((await again.state()).pending.map(({ callId }) => [callId, true]));
        await readAs(reader, again.resumeStream({ approvals })).catch(() => {});
        await settled();
        check(next);
      }),
      { numRuns: 60 },
    );
  });

  test("on an engine that suspends, restarts or cancels it", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyScript,
        fc.boolean(),
        fc.option(fc.nat(1_500)),
        fc.boolean(),
        async (script, restarting, cancelMs, approves) => {
          const { agent, helper, ...traced } = team(script);
          const engine = new MemoryEngine({ restarting });
          engine.serve(helper);
          if (approves) for (const turn of [1, 2, 3, 4, 5]) await engine.answer("r", `call:${turn}.0/approval`, true);
          const cancelled = sleep(cancelMs ?? 10_000).then(() => engine.cancel("r"));
          await engine.start(agent, "r", { input: "Go." }).catch(() => {});
          await cancelled;
          await settled();
          check(traced);
        },
      ),
      { numRuns: 40 },
    );
  });
});
