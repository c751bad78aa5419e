import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Receiver, startReceiver } from "../../examples/opentelemetry/receiver.ts";

let shown: string[];
let receiver: Receiver;

beforeEach(async () => {
  shown = [];
  receiver = await startReceiver(
    0,
    (tree) => void shown.push(tree.replaceAll(/(trace|continues) [\da-f]{8}/g, "$1 …")),
  );
});

afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  for (const global of [trace, context, metrics, propagation]) global.disable();
});

/** A time that the SDK interprets as absolute, and not as relative to the start of the process. */
const EPOCH = Date.UTC(2030, 0);

/** Makes a span that lasted from one time to the other, in milliseconds. */
function makeSpan(name: string, times: readonly [start: number, end: number], inside: () => void = () => {}): void {
  const [startTime, endTime] = times;
  trace.getTracer("test").startActiveSpan(name, { startTime, kind: SpanKind.INTERNAL }, (span) => {
    inside();
    span.end(endTime);
  });
}

describe("the receiver of traces", () => {
  test.each(["http/protobuf", "http/json"])("draws what the SDK exports by %s", async (protocol) => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
    vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    vi.stubEnv("OTEL_EXPORTER_OTLP_COMPRESSION", protocol === "http/json" ? "gzip" : "none");
    const sdk = new NodeSDK({ serviceName: "shop" });
    sdk.start();
    const elsewhere = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
    makeSpan("first", [EPOCH, EPOCH + 90_000], () => {
      makeSpan("request", [EPOCH + 10, EPOCH + 2510], () => {
        const span = trace.getActiveSpan();
        span?.setAttributes({
          "gen_ai.usage.input_tokens": 1200,
          "gen_ai.usage.output_tokens": 7,
          "pollux.cost": 0.25,
        });
        span?.addEvent("pollux.retry", { "pollux.retry.delay": 0.5, "error.type": "503" });
      });
      makeSpan("tool", [EPOCH + 2600, EPOCH + 2601], () => {
        const span = trace.getActiveSpan();
        span?.addLink({ context: elsewhere });
        span?.setAttribute("error.type", "timeout").setStatus({ code: SpanStatusCode.ERROR });
        makeSpan("query", [EPOCH + 2600, EPOCH + 2601]);
      });
    });
    await sdk.shutdown();
    expect(shown.map((tree) => tree.split("\n"))).toEqual([
      [
        "shop, trace …",
        "first        90.00 s",
        "├─ request    2.50 s  1200 in    7 out  $0.2500  retry: 503",
        "└─ tool         1 ms                             continues …; failed: timeout",
        "   └─ query     1 ms",
      ],
    ]);
  });

  test("draws what lies within a span of another process when it ends, and the rest at the end", async () => {
    const span = (spanId: string, parentSpanId: string, flags = 0): object => ({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId,
      parentSpanId,
      flags,
      name: `span ${spanId}`,
      startTimeUnixNano: "1000000000",
      endTimeUnixNano: "1001000000",
    });
    const remote = 0x300;
    await post("/v1/traces", [span("b", "a"), span("a", "0", remote), span("d", "c"), span("e", "d")]);
    expect(shown).toEqual(["unknown, trace …\nspan a     1 ms\n└─ span b  1 ms"]);
    await receiver[Symbol.asyncDispose]();
    expect(shown[1]).toBe("unknown, trace …\nspan d     1 ms\n└─ span e  1 ms");
  });

  test("draws what starts in the same millisecond in the order of turns and calls", async () => {
    const span = (name: string, attributes: Readonly<Record<string, string>>): object => ({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: name,
      name,
      ...(name !== "run" && { parentSpanId: "run" }),
      startTimeUnixNano: "1000000000",
      endTimeUnixNano: "1000000000",
      attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    });
    await post("/v1/traces", [
      span("request 2", { "pollux.turn": "2" }),
      span("call 10", { "pollux.turn": "1", "pollux.call.id": "call:1.10" }),
      span("call 9", { "pollux.turn": "1", "pollux.call.id": "call:1.9" }),
      span("request 1", { "pollux.turn": "1" }),
      span("run", {}),
    ]);
    const names = shown[0]?.split("\n").map((line) => line.replace(/^(?:[├└]─ )?(.+?) +0 ms$/, "$1"));
    expect(names?.slice(1)).toEqual(["run", "request 1", "call 9", "call 10", "request 2"]);
  });

  test.each([
    ["application/json", '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}'],
    ["application/x-protobuf", Buffer.from([0x0a, 0x05, 0x01])],
  ])("refuses a broken body of type %s", async (type, body) => {
    const response = await fetch(`${receiver.url}/v1/traces`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    expect(response.status).toBe(400);
  });

  test("accepts metrics and logs", async () => {
    expect(await Promise.all(["/v1/metrics", "/v1/logs"].map((path) => post(path, [])))).toEqual([200, 200]);
  });
});

async function post(path: string, spans: readonly object[]): Promise<number> {
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const headers = { "content-type": "application/json" };
  const { status } = await fetch(receiver.url + path, { method: "POST", headers, body });
  return status;
}
