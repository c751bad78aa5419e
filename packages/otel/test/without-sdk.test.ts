import { context, metrics, type Span, trace, type Tracer, type TracerProvider } from "@opentelemetry/api";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace";
import { Agent, defineTool } from "@pollux/core";
import type { ObservedEvent, Observer } from "@pollux/core/observers";
import { calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { openTelemetry } from "../src/index.ts";
import { keepContexts, Sdk } from "./helpers/sdk.ts";

keepContexts();

const look = defineTool({ name: "look", description: "x", run: () => "seen" });

/** Runs an agent through two turns. */
async function runWith(observers: readonly Observer[]): Promise<readonly ObservedEvent[]> {
  const seen: ObservedEvent[] = [];
  const recorder: Observer = { observe: (observation) => void seen.push(observation) };
  const model = new ScriptedModel(calls("look", "look"), say("Done."));
  await new Agent({ model, tools: [look], observers: [...observers, recorder] }).run("Go.");
  return seen;
}

/** Names of the functions that are called of an object, and of all that they return. */
function counting<T extends object>(target: T, calledNames: string[]): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calledNames.push(String(name));
        const returned: unknown = Reflect.apply(value, object, args);
        return typeof returned === "object" && returned !== null ? counting(returned, calledNames) : returned;
      };
    },
  });
}

describe("without an SDK", () => {
  test("a run asks whether there is one when it is requested and when it starts, and nothing else happens", async () => {
    const spies = [
      vi.spyOn(trace, "getTracerProvider"),
      vi.spyOn(metrics, "getMeter"),
      vi.spyOn(context, "with"),
      vi.spyOn(trace, "setSpan"),
    ];
    const stringify = vi.spyOn(JSON, "stringify");
    const plain = await runWith([]);
    const before = stringify.mock.calls.length;
    const seen = await runWith([openTelemetry({ captureContent: true })]);
    expect(seen).toHaveLength(plain.length);
    expect(stringify.mock.calls).toHaveLength(2 * before);
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual([2, 2, 0, 0]);
    vi.restoreAllMocks();
  });

  test("a run is the same as one without observers: nothing of it is observed", async () => {
    const observer = openTelemetry();
    const called: string[] = [];
    const model = new ScriptedModel(calls("look", "look"), say("Done."));
    await new Agent({ model, tools: [look], observers: [counting(observer, called)] }).run("Go.");
    expect(called).toEqual(["isEnabled", "isEnabled"]);
  });

  test("traceparents are not made up", async () => {
    const observer = openTelemetry();
    const asked: (string | undefined)[] = [];
    const asking: Observer = { observe: ({ run }) => void asked.push(observer.traceparent?.(run)) };
    await runWith([observer, asking]);
    expect(new Set(asked)).toEqual(new Set([undefined]));
  });
});

describe("with an SDK that does not record", () => {
  test("a span is started and ended, and asked at most once for each observation", async () => {
    const calledNames: string[] = [];
    const tracer: Tracer = counting(
      { startSpan: () => silent, startActiveSpan: () => undefined as never },
      calledNames,
    );
    const tracerProvider: TracerProvider = { getTracer: () => tracer };
    const seen = await runWith([openTelemetry({ tracerProvider, captureContent: true })]);
    const count = (name: string): number => calledNames.filter((one) => one === name).length;
    expect([count("startSpan"), count("end")]).toEqual([5, 5]);
    expect(count("isRecording")).toBeLessThanOrEqual(seen.length);
    expect(new Set(calledNames)).toEqual(new Set(["startSpan", "isRecording", "spanContext", "end"]));
  });

  test("a run that is not sampled has no spans, but metrics, and says so to whoever continues its trace", async () => {
    const sdk = new Sdk(new AlwaysOffSampler());
    const { tracerProvider, meterProvider } = sdk;
    const observer = openTelemetry({ tracerProvider, meterProvider, captureContent: true });
    const asked = new Set<string | undefined>();
    await runWith([observer, { observe: ({ run }) => void asked.add(observer.traceparent?.(run)?.slice(-3)) }]);
    expect(sdk.started).toEqual([]);
    expect(asked).toEqual(new Set(["-00"]));
    expect(await sdk.metrics()).toMatchObject({ "gen_ai.execute_tool.duration": [{ value: { count: 2 } }] });
  });

  test("metrics are recorded without a tracer", async () => {
    const sdk = new Sdk();
    await runWith([openTelemetry({ meterProvider: sdk.meterProvider })]);
    expect(await sdk.metrics()).toMatchObject({ "gen_ai.execute_tool.duration": [{ value: { count: 2 } }] });
  });
});

const silent: Span = {
  spanContext: () => ({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 0 }),
  isRecording: () => false,
  setAttribute: () => silent,
  setAttributes: () => silent,
  addEvent: () => silent,
  addLink: () => silent,
  addLinks: () => silent,
  setStatus: () => silent,
  updateName: () => silent,
  end: () => {},
  recordException: () => {},
};
