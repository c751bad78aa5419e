import fc from "fast-check";

const deep = (levels: number, open: string, close: string): string => `${open.repeat(levels)}1${close.repeat(levels)}`;

/** Values as JSON text; some do not fit JavaScript's types, and some are not JSON. */
const json: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.json({ maxDepth: 3 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "null",
      "[]",
      "{}",
      "-0",
      "1e400",
      "9007199254740993",
      '"\\ud800"',
      '"\\u0000"',
      '{"__proto__":{"polluted":true}}',
      '{"constructor":{"prototype":{"polluted":true}}}',
      '{"toJSON":1,"then":2,"length":-1}',
      '{"a":1,"a":2}',
      `"${"é".repeat(9_000)}"`,
      `[${"0,".repeat(9_000)}0]`,
      `{${Array.from({ length: 2_000 }, (_, at) => `"k${at}":${at}`).join(",")}}`,
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(3, 490, 505, 6_000), fc.constantFrom(["[", "]"], ['{"a":', "}"], ['[{"a":', "}]"]))
      .map(([levels, [open = "", close = ""]]) => deep(levels, open, close)),
  },
  { weight: 1, arbitrary: fc.constantFrom("", "NaN", "{", "[1,]", "'x'", "01", '"\n"') },
);

const members = (names: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 })
    .map((list) => `{${list.map(([name, one]) => `"${name}":${one}`).join(",")}}`);

const CALL_NAMES = ["name", "id", "args", "partialArgs", "willContinue", "x"];
const path = fc.oneof(
  fc.constantFrom(
    "$",
    "$.a",
    "$.a[0]",
    "$.a[99999]",
    "$.a[]",
    "$.__proto__.b",
    `$${".a".repeat(6_000)}`,
    "$['",
    "$.a[",
  ),
  fc.string({ maxLength: 8 }),
);
const piece = fc
  .tuple(path, fc.constantFrom('"numberValue":1', '"stringValue":"x"', '"nullValue":null', '"boolValue":{}', '"x":1'))
  .map(([jsonPath, value]) => `{"jsonPath":${JSON.stringify(jsonPath)},${value}}`);

/** Each path skips thousands of elements of another list. */
const skipping = fc
  .constantFrom(
    (at: number) => `$.l${at}[9999]`,
    (at: number) => `$.l[${at}][9999].b`,
  )
  .map((make) => Array.from({ length: 500 }, (_, at) => `{"jsonPath":"${make(at)}","numberValue":1}`).join(","));
const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.array(piece, { maxLength: 4 }).map((list) => `[${list.join(",")}]`) },
  { weight: 1, arbitrary: skipping.map((list) => `[${list}]`) },
);

const call = fc.oneof(
  members(CALL_NAMES, json),
  json.map((args) => `{"name":"look","args":{"a":${args}}}`),
  pieces.map((list) => `{"name":"look","willContinue":true,"partialArgs":${list}}`),
  pieces.map((list) => `{"partialArgs":${list},"willContinue":true}`),
  fc.constant("{}"),
);
const part = fc.oneof(
  { weight: 6, arbitrary: fc.string().map((text) => `{"text":${JSON.stringify(text)}}`) },
  { weight: 3, arbitrary: call.map((one) => `{"functionCall":${one}}`) },
  {
    weight: 2,
    arbitrary: members(
      ["text", "thought", "thoughtSignature", "inlineData", "functionResponse", "toolCall", "executableCode", "new"],
      json,
    ),
  },
  { weight: 1, arbitrary: json },
);
const content = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(part, { maxLength: 4 }).map((list) => `{"role":"model","parts":[${list.join(",")}]}`),
  },
  { weight: 1, arbitrary: members(["role", "parts"], json) },
);
const GROUNDING = ["groundingChunks", "groundingSupports", "webSearchQueries", "searchEntryPoint", "retrievalMetadata"];
const grounding = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: members(GROUNDING, json).map((one) => `,"groundingMetadata":${one}`) },
  { weight: 1, arbitrary: json.map((one) => `,"groundingMetadata":${one}`) },
);
const reason = fc.oneof(
  { weight: 6, arbitrary: fc.constant('"STOP"') },
  { weight: 1, arbitrary: fc.constantFrom('"MAX_TOKENS"', '"UNEXPECTED_TOOL_CALL"', '"NEW"', "3", "null", "{}", '""') },
);
const candidate = fc
  .tuple(content, reason, grounding)
  .map(([one, finishReason, more]) => `{"content":${one},"finishReason":${finishReason}${more}}`);
const answer = fc.oneof(
  { weight: 12, arbitrary: candidate.map((one) => `{"candidates":[${one}]}`) },
  {
    weight: 2,
    arbitrary: members(
      ["candidates", "usageMetadata", "promptFeedback", "modelVersion", "error", "message", "code"],
      json,
    ),
  },
  { weight: 1, arbitrary: members(["code", "message", "status", "details"], json).map((one) => `{"error":${one}}`) },
  { weight: 1, arbitrary: json },
  { weight: 1, arbitrary: fc.array(candidate, { maxLength: 3 }).map((list) => `[${list.join(",")}]`) },
);

/** One piece of a body: an event, a part of one, or something between events. */
const block = fc.oneof(
  { weight: 30, arbitrary: answer.map((one) => `data: ${one}\n\n`) },
  { weight: 1, arbitrary: answer.map((one) => `data:${one}\r\n\r\n`) },
  { weight: 1, arbitrary: answer.map((one) => `data: ${one}\n`) },
  { weight: 1, arbitrary: answer.map((one) => one.replaceAll(",", ",\ndata: ")) },
  { weight: 1, arbitrary: answer.map((one) => one.slice(0, Math.floor(one.length / 2))) },
  { weight: 1, arbitrary: answer },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\uFEFF",
      "\0",
      "\r",
      "\n\n\n",
      ": ping\n\n",
      "event: error\n",
      "id: 1\0\n",
      "retry: 1e99\n",
      "data\n\n",
      "data: [DONE]\n\n",
      "<html>",
      "data: {}\n".repeat(200_000),
      "data:\n".repeat(50_000),
      "\r\n".repeat(20_000),
      ":".repeat(20_000),
      "é".repeat(5_000),
    ),
  },
  { weight: 1, arbitrary: fc.string() },
);

/** A service's answer to a request. */
export interface HostileAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Bytes before the body that are not text. */
  readonly garbage: readonly number[];
  /** Where the bytes are cut, modulo their number. */
  readonly cuts: readonly number[];
  /** The connection breaks at the end. */
  readonly breaks: boolean;
}

/** Bodies that are malformed, deep, long or cut anywhere, even in the middle of a character. */
export const hostileAnswer: fc.Arbitrary<HostileAnswer> = fc.record({
  status: fc.oneof({ weight: 6, arbitrary: fc.constant(200) }, fc.constantFrom(201, 400, 404, 429, 500, 503)),
  contentType: fc.constantFrom(
    "text/event-stream",
    "application/json",
    "text/html",
    "",
    "text/event-stream; charset=x",
  ),
  body: fc.oneof(
    { weight: 2, arbitrary: candidate.map((one) => `{"candidates":[${one}]}`) },
    { weight: 1, arbitrary: answer },
    { weight: 3, arbitrary: fc.array(block, { maxLength: 5 }).map((blocks) => blocks.join("")) },
  ),
  garbage: fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    fc.array(fc.integer({ min: 128, max: 255 }), { maxLength: 4 }),
  ),
  cuts: fc.array(fc.nat(), { maxLength: 6 }),
  breaks: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
});

/** The body as it arrives. */
export function chunksOf({ body, garbage, cuts }: HostileAnswer): readonly Uint8Array<ArrayBuffer>[] {
  const bytes = new Uint8Array(Buffer.concat([Uint8Array.from(garbage), Buffer.from(body)]));
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  const sorted = places.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.slice(sorted[index], end));
}
