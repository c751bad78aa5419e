import { Agent, ApiStatusError, defineTool, MemoryStore, type RunStream } from "@pollux/core";
import type { Observer, ObservedEvent } from "@pollux/core/observers";
import {
  call,
  calls,
  costs,
  dies,
  empty,
  fails,
  hangs,
  join,
  say,
  ScriptedModel,
  type ScriptedTurn,
} from "@pollux/core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../../core/test/helpers/fake-time.ts";
import { openTelemetry } from "../src/index.ts";
import { type EndedSpan, keepContexts, Sdk } from "./helpers/sdk.ts";

fakeTime("leaps");
keepContexts();

const busy = new ApiStatusError("busy", { status: 503, retryable: true });
const anyScript: fc.Arbitrary<readonly ScriptedTurn[]> = fc.array(
  fc.constantFrom(
    call("look"),
    join(call("look"), costs({ promptTokenCount: 70, candidatesTokenCount: 3, thoughtsTokenCount: 20 })),
    calls("look", "slow", "crash"),
    calls("stuck", "look"),
    calls("ask", "look"),
    calls({ name: "helper", args: { task: "Find." } }, "slow"),
    calls({ name: "helper", args: { task: "Find." } }, { name: "helper", args: { task: "Find more." } }),
    say("Said ", "it."),
    empty(),
    dies("It"),
    hangs("It"),
    fails(busy),
    fails(new Error("no")),
  ),
  { minLength: 1, maxLength: 5 },
);

type Reader = "result" | "events" | number;
const anyReader: fc.Arbitrary<Reader> = fc.oneof(fc.constantFrom<Reader>("result", "events"), fc.nat(12));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Longer than anything here takes. */
const settled = (): Promise<void> => sleep(60_000);

/** An agent whose tools do all that tools can do, with another one inside it. */
function team(sdk: Sdk, script: readonly ScriptedTurn[]) {
  const ends: ObservedEvent<"run-end">[] = [];
  const recorder: Observer = { observe: (one) => void (one.type === "run-end" && ends.push(one)) };
  const { tracerProvider, meterProvider } = sdk;
  const observers = [openTelemetry({ tracerProvider, meterProvider }), recorder];
  const tool = (name: string, run: () => unknown, more: object = {}) =>
    defineTool({ name, description: "x", run, ...more });
  const tools = [
    tool("look", () => "seen"),
    tool("slow", () => sleep(300)),
    tool("stuck", () => new Promise(() => {}), { timeoutMs: 200 }),
    tool("ask", () => "allowed", { needsApproval: true }),
    tool("crash", () => {
      throw new Error("crash");
    }),
  ];
  const limits = { turns: 6, wallTimeMs: 2_000 };
  const helper = new Agent({
    name: "helper",
    model: new ScriptedModel(calls("slow", "crash"), say("Found."), calls("look"), hangs("Found.")),
    tools,
    observers,
    limits: { ...limits, wallTimeMs: 500 },
  });
  const model = new ScriptedModel(...script, say("End."));
  const agent = new Agent({
    name: "main",
    model,
    tools: [...tools, helper.asTool({ description: "x" })],
    observers,
    limits,
  });
  return { agent, ends };
}

async function readAs(reader: Reader, run: RunStream<unknown>): Promise<void> {
  if (reader === "result") return void (await run.result());
  let left = reader === "events" ? Infinity : reader;
  for await (const _ of run) if (left-- <= 0) break;
}

/** Checks that spans end, have the right parents, and lie within them. */
function checkSpans({ spans, started }: Sdk): void {
  expect(spans.map(idOf).toSorted()).toEqual(started.toSorted());
  const byId = new Map(spans.map((span) => [idOf(span), span]));
  for (const span of spans) {
    const parent = byId.get(span.parentSpanContext?.spanId ?? "");
    const parentName = { invoke_agent: span.name.endsWith("main") ? undefined : "execute_tool helper" }[
      operationOf(span)
    ];
    if (operationOf(span) === "invoke_agent") expect(parent?.name).toBe(parentName);
    else expect(parent && operationOf(parent)).toBe("invoke_agent");
    if (parent === undefined) continue;
    expect(timeOf(span.startTime)).toBeGreaterThanOrEqual(timeOf(parent.startTime));
    expect(timeOf(span.endTime)).toBeLessThanOrEqual(timeOf(parent.endTime));
  }
}

function operationOf(span: EndedSpan): string {
  return String(span.attributes["gen_ai.operation.name"]);
}

function idOf(span: EndedSpan): string {
  return span.spanContext().spanId;
}

function timeOf([seconds, nanoseconds]: EndedSpan["startTime"]): number {
  return seconds * 1e9 + nanoseconds;
}

/** Tokens of spans, read and written. */
function tokensOf(spans: readonly EndedSpan[]): readonly [number, number] {
  const sum = (name: string): number =>
    spans.reduce((total, { attributes }) => total + Number(attributes[name] ?? 0), 0);
  return [sum("gen_ai.usage.input_tokens"), sum("gen_ai.usage.output_tokens")];
}

/**
 * Checks that requests and metrics count the same tokens, and the agents' spans no more than that.
 *
 * @returns Those of the requests, and those of the agents.
 */
async function checkTokens(sdk: Sdk): Promise<readonly (readonly [number, number])[]> {
  const used = tokensOf(sdk.spans.filter(({ name }) => name.startsWith("generate_content")));
  const metrics = await sdk.metrics();
  const counted = (kind: string): number =>
    (metrics[`gen_ai.client.inference.usage.${kind}`] ?? []).reduce((sum, { value }) => sum + Number(value), 0);
  expect([counted("input_tokens"), counted("output_tokens")]).toEqual(used);
  const ofAgents = tokensOf(sdk.spans.filter(({ name }) => name === "invoke_agent main"));
  expect(ofAgents[0]).toBeLessThanOrEqual(used[0]);
  expect(ofAgents[1]).toBeLessThanOrEqual(used[1]);
  return [used, ofAgents];
}

describe("random runs", () => {
  test("end their spans, within the right parents, and count what they use once", async () => {
    await fc.assert(
      fc.asyncProperty(anyScript, anyReader, fc.option(fc.nat(1_500)), async (script, reader, abortMs) => {
        const sdk = new Sdk();
        const { agent, ends } = team(sdk, script);
        const abort = new AbortController();
        if (abortMs !== null) setTimeout(() => abort.abort(new Error("enough")), abortMs);
        await readAs(reader, agent.stream("Go.", { signal: abort.signal })).catch(() => {});
        await settled();
        checkSpans(sdk);
        const tokens = await checkTokens(sdk);
        const { ended, usage } = ends.find(({ run }) => run.agent === "main") ?? {};
        // An abort does not wait for the runs inside its calls.
        if (ended !== "result" || usage === undefined) return;
        const ofRun = [usage.inputTokens, usage.outputTokens + usage.thoughtTokens];
        expect(tokens).toEqual([ofRun, ofRun]);
      }),
      { numRuns: 60 },
    );
  });

  test("count it once when they are interrupted and resumed, and link to what came before", async () => {
    await fc.assert(
      fc.asyncProperty(anyScript, fc.nat(1_500), async (script, abortMs) => {
        const sdk = new Sdk();
        const store = new MemoryStore();
        const abort = new AbortController();
        const first = team(sdk, script);
        setTimeout(() => abort.abort(new Error("enough")), abortMs);
        const began = first.agent.session({ id: "s", store });
        await readAs("events", began.stream("Go.", { signal: abort.signal })).catch(() => {});
        await settled();
        const { length } = sdk.spans;
        const next = team(sdk, []);
        const again = next.agent.session({ id: "s", store });
        const { pending } = await again.state();
        const approvals = Object.fromEntries(pending.map(({ token }) => [token, true]));
        const begun = sdk.started.length;
        await again.resume({ approvals }).catch(() => {});
        await settled();
        checkSpans(sdk);
        await checkTokens(sdk);
        // It was over, or had not begun.
        if (sdk.started.length === begun || length === 0) return;
        const roots = sdk.spans.filter(({ name }) => name === "invoke_agent main");
        expect(roots).toHaveLength(2);
        expect(roots[1]?.links.map(({ context }) => context.spanId)).toEqual([roots[0]?.spanContext().spanId]);
        expect(roots[1]?.spanContext().traceId).not.toBe(roots[0]?.spanContext().traceId);
      }),
      { numRuns: 40 },
    );
  });
});
