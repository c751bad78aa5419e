/** Spans of a request by OTLP, OpenTelemetry's protocol, whether its body is JSON or protobuf. */
import { z } from "zod";

/** A span that was received. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** The span it lies within; undefined for the first span of a process. */
  readonly parentId: string | undefined;
  readonly name: string;
  /** In milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  /** Traces it is linked to. */
  readonly links: readonly string[];
  readonly hasFailed: boolean;
}

/** Attributes with arrays and objects are not read. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** @throws If the body is not what the protocol says. */
export function readSpans(body: Buffer, isJson: boolean): readonly ReceivedSpan[] {
  const { resourceSpans } = Request.parse(isJson ? JSON.parse(body.toString()) : decode(body, "request"));
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ spanId, traceId, parentSpanId, name, flags, attributes, events, links, status, ...times }) => ({
        service: String(resource.attributes["service.name"] ?? "unknown"),
        traceId,
        spanId,
        parentId: parentSpanId === "" || (flags & PARENT_IS_REMOTE) !== 0 ? undefined : parentSpanId,
        name,
        start: times.startTimeUnixNano / 1e6,
        end: times.endTimeUnixNano / 1e6,
        attributes,
        events,
        links: links.map((link) => link.traceId),
        hasFailed: status.code === STATUS_ERROR,
      })),
    ),
  );
}

const PARENT_IS_REMOTE = 0x200;
const STATUS_ERROR = 2;

// JSON has 64-bit integers as strings. What is absent has its default.
const Value = z
  .looseObject({
    stringValue: z.string().optional(),
    boolValue: z.boolean().optional(),
    intValue: z.coerce.number().optional(),
    doubleValue: z.number().optional(),
  })
  .transform((value) => value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue);
const KeyValues = z
  .array(z.object({ key: z.string(), value: Value.optional() }))
  .default([])
  .transform((all): Attributes => Object.fromEntries(all.map(({ key, value }) => [key, value])));
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(""),
  name: z.string(),
  flags: z.coerce.number().default(0),
  startTimeUnixNano: z.coerce.number(),
  endTimeUnixNano: z.coerce.number(),
  attributes: KeyValues,
  events: z.array(z.object({ name: z.string(), attributes: KeyValues })).default([]),
  links: z.array(z.object({ traceId: z.string() })).default([]),
  status: z.object({ code: z.number().default(0) }).prefault({}),
});
const Request = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: KeyValues }).prefault({}),
        scopeSpans: z.array(z.object({ spans: z.array(Span).default([]) })).default([]),
      }),
    )
    .default([]),
});

/**
 * Fields that are read, by number: their name in JSON, and a scalar or a message; repeated if that ends with `*`.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, readonly [name: string, type: string]>>>> = {
  request: { 1: ["resourceSpans", "resourceSpans*"] },
  resourceSpans: { 1: ["resource", "resource"], 2: ["scopeSpans", "scopeSpans*"] },
  resource: { 1: ["attributes", "keyValue*"] },
  scopeSpans: { 2: ["spans", "span*"] },
  span: {
    1: ["traceId", "hex"],
    2: ["spanId", "hex"],
    4: ["parentSpanId", "hex"],
    5: ["name", "string"],
    7: ["startTimeUnixNano", "integer"],
    8: ["endTimeUnixNano", "integer"],
    9: ["attributes", "keyValue*"],
    11: ["events", "event*"],
    13: ["links", "link*"],
    15: ["status", "status"],
    16: ["flags", "integer"],
  },
  event: { 2: ["name", "string"], 3: ["attributes", "keyValue*"] },
  link: { 1: ["traceId", "hex"] },
  status: { 3: ["code", "integer"] },
  keyValue: { 1: ["key", "string"], 2: ["value", "anyValue"] },
  anyValue: {
    1: ["stringValue", "string"],
    2: ["boolValue", "boolean"],
    3: ["intValue", "integer"],
    4: ["doubleValue", "double"],
  },
};

/** Decodes a protobuf message into what OTLP's JSON would have. */
function decode(bytes: Buffer, message: string): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const readBytes = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError("the message is cut off");
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const tag = Number(readVarint());
    const wireType = tag & 7;
    const varint = wireType === 0 ? readVarint() : 0n;
    const raw = wireType === 0 ? Buffer.alloc(0) : readBytes(LENGTHS[wireType] ?? Number(readVarint()));
    const [name, type = ""] = MESSAGES[message]?.[tag >> 3] ?? [];
    if (name === undefined) continue;
    if (type.endsWith("*")) decoded[name] ??= [];
    const value = decodeValue(type.replace("*", ""), varint, raw);
    const list = decoded[name];
    if (Array.isArray(list)) list.push(value);
    else decoded[name] = value;
  }
  return decoded;
}

/** Bytes of a value of fixed length, by its wire type. */
const LENGTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

function decodeValue(type: string, varint: bigint, raw: Buffer): unknown {
  switch (type) {
    case "hex":
      return raw.toString("hex");
    case "string":
      return raw.toString();
    case "boolean":
      return varint !== 0n;
    case "double":
      return raw.readDoubleLE();
    case "integer":
      if (raw.length === 8) return Number(raw.readBigUInt64LE());
      return raw.length === 4 ? raw.readUInt32LE() : Number(BigInt.asIntN(64, varint));
    default:
      return decode(raw, type);
  }
}
