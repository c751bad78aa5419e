import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ApiShapeError } from "../../../src/errors/api-errors.ts";
import { SseDecoder } from "../../../src/wire/http/sse.ts";
import { anyText } from "../../helpers/any-text.ts";
import { growthOf } from "../../helpers/growth.ts";

const encoder = new TextEncoder();

function* split(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const cut of [...new Set(cuts.map((n) => n % (bytes.length + 1)))].toSorted((a, b) => a - b)) {
    yield bytes.subarray(at, cut);
    at = cut;
  }
  yield bytes.subarray(at);
}

function decode(text: string, cuts: readonly number[] = []): readonly string[] {
  const decoder = new SseDecoder();
  return [...[...split(encoder.encode(text), cuts)].flatMap((bytes) => decoder.push(bytes)), ...decoder.end()];
}

test.each([
  ["CRLF", 'data: {"a":1}\r\n\r\ndata: {"a":2}\r\n\r\n', ['{"a":1}', '{"a":2}']],
  ["LF", 'data: {"a":1}\n\ndata: {"a":2}\n\n', ['{"a":1}', '{"a":2}']],
  ["CR", 'data: {"a":1}\r\rdata: {"a":2}\r\r', ['{"a":1}', '{"a":2}']],
  ["no space after the colon", 'data:{"a":1}\n\n', ['{"a":1}']],
  ["a byte order mark", '\uFEFFdata: {"a":1}\n\n', ['{"a":1}']],
  ["comments and other fields", ': keep-alive\n\nevent: x\nid: 1\nretry: 5\ndata: {"a":1}\n\n: bye\n\n', ['{"a":1}']],
  ["several lines of data", 'data: {"a":\ndata: 1}\n\n', ['{"a":\n1}']],
  ["no blank lines at all", 'data: {"a":1}\ndata: {"a":2}\ndata: [DONE]\n', ['{"a":1}', '{"a":2}']],
  ["no blank lines and a cut", 'data: {"a":1}\ndata: {"a":', ['{"a":1}']],
  ["a last event without a blank line", 'data: {"a":1}\n\ndata: {"a":2}', ['{"a":1}', '{"a":2}']],
  ["a last event with half a CRLF", 'data: {"a":1}\r', ['{"a":1}']],
  ["a last event cut in its JSON", 'data: {"a":1}\n\ndata: {"a":', ['{"a":1}']],
  ["[DONE]", 'data: {"a":1}\n\ndata: [DONE]\n\n', ['{"a":1}']],
  ["a bare object", '{"error":{"code":503}}', ['{"error":{"code":503}}']],
  ["a bare object over lines", '{\n  "error": {\n\n"code": 503}\n}\n', ['{\n  "error": {\n\n"code": 503}\n}']],
  ["a bare list", '[{"a":1}\r\n,\r\n{"a":2}\r\n]', ['[{"a":1}\r\n,\r\n{"a":2}\r\n]']],
  [
    "a bare object after an event",
    'data: {"a":1}\r\n\r\n{"error":{"code":503}}\r\n',
    ['{"a":1}', '{"error":{"code":503}}'],
  ],
  [
    "a bare object before [DONE]",
    'data: {"a":1}\r\n\r\n{\r\n  "error": {}\r\n}\r\n\r\ndata: [DONE]\r\n\r\n',
    ['{"a":1}', '{\r\n  "error": {}\r\n}'],
  ],
  ["a bare object among comments", 'data: {"a":1}\n\n: hm\n\n{"error":{}}\n: bye\n\n', ['{"a":1}', '{"error":{}}']],
  ["a bare list after CRs", 'data: {"a":1}\r\r[{"error":{}}]\rdata: [DONE]\r\r', ['{"a":1}', '[{"error":{}}]']],
  ["a bare object instead of a blank line", 'data: {"a":1}\n{"error":{}}\ndata: [DONE]\n', ['{"a":1}', '{"error":{}}']],
  [
    "white space before a bare object",
    'data: {"a":1}\n\n \n\t{"error":{}}\n\ndata: [DONE]\n',
    ['{"a":1}', '{"error":{}}'],
  ],
  ["a line of a log before a bare object", 'data: {"a":1}\n\n[INFO] gone\n{"error":{}}\n', ['{"a":1}', '{"error":{}}']],
  ["text after a bare object", '{"error":{}}\nupstream closed\n', ['{"error":{}}']],
  ["two bare objects", '{"error":{}}\n{"error":{}}\n', ['{"error":{}}', '{"error":{}}']],
  ["a bare object before all else", '\n {"error":{}}\n\ndata: [DONE]\n\n', ['{"error":{}}']],
  [
    "events after a bare object",
    '{"error":{}}\n\ndata: {"a":1}\n\ndata: {"a":2}',
    ['{"error":{}}', '{"a":1}', '{"a":2}'],
  ],
  ["lines that only begin like JSON", 'data: {"a":1}\n\n{oops\ndata: {"a":2}\n\n', ['{"a":1}', '{"a":2}']],
  ["a web page", "<html><body>Bad gateway</body></html>", []],
  ["nothing", "", []],
])("%s, whole and byte by byte", (_name, text, expected) => {
  const bytes = encoder.encode(text).length;
  expect(decode(text)).toEqual(expected);
  expect(
    decode(
      text,
      Array.from({ length: bytes }, (_, i) => i),
    ),
  ).toEqual(expected);
});

test("any split of the bytes gives the same data", () => {
  const event = fc.record({ text: anyText(), n: fc.integer() }).map((value) => JSON.stringify(value));
  const newline = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(fc.array(event), newline, fc.boolean(), fc.array(fc.nat(300)), (events, eol, ended, cuts) => {
      const body = events.map((data) => `: hm${eol}data: ${data}${eol}${eol}`).join("");
      const text = ended ? body : body.trimEnd();
      // Lone surrogates cannot be written as UTF-8; JSON escapes them, so the data is as it was.
      expect(decode(text, cuts)).toEqual(events);
    }),
  );
});

test("an event whose data begins with a read comes once", () => {
  const text = 'data: {"a":1}\n\n';
  expect(decode(text, ["data:".length])).toEqual(['{"a":1}']);
  expect(decode(text, ["data: ".length])).toEqual(['{"a":1}']);
});

test("events of one read come as one list", () => {
  expect(new SseDecoder().push(encoder.encode("data: 1\n\ndata: 2\n\ndata: 3\n"))).toEqual(["1", "2"]);
});

test("events come as they arrive after a line of a log", () => {
  const decoder = new SseDecoder();
  decoder.push(encoder.encode("[keep-alive]\n\n"));
  expect(decoder.push(encoder.encode("data: 1\n\n"))).toEqual(["1"]);
});

test("200,000 events without a blank line between them all come", () => {
  const decoder = new SseDecoder();
  const all = [...decoder.push(encoder.encode("data: {}\n".repeat(200_000))), ...decoder.end()];
  expect(all.length).toBe(200_000);
});

test("an event beyond the limit is refused, many small ones are not", () => {
  const decoder = new SseDecoder({ maxBufferBytes: 1000 });
  for (let i = 0; i < 100; i++) decoder.push(encoder.encode(`data: ${"x".repeat(100)}\n\n`));
  decoder.push(encoder.encode("data: "));
  expect(() => {
    for (let i = 0; i < 100; i++) decoder.push(encoder.encode("y".repeat(100)));
  }).toThrow(ApiShapeError);
});

test("a bare body beyond the limit is refused", () => {
  const decoder = new SseDecoder({ maxBufferBytes: 1000 });
  expect(() => decoder.push(encoder.encode(`{"a":"${"x".repeat(2000)}`))).toThrow(ApiShapeError);
});

test.each<[string, (size: number) => string, number, number]>([
  ["one large event", (size) => `data: "${"x".repeat(size)}"\n\n`, 4096, 500_000],
  ["many tiny ones", (size) => "data: 1\n\n".repeat(size), 9, 10_000],
  ["one of white space", (size) => `${"\n ".repeat(size / 2)}\ndata: "${"x".repeat(size)}"\n\n`, 1e9, 20_000],
])("takes time linear in the bytes of %s", (_name, textOf, step, size) => {
  const decodeAll = (text: string): number => {
    const bytes = encoder.encode(text);
    const decoder = new SseDecoder();
    let length = 0;
    for (let at = 0; at < bytes.length; at += step)
      for (const data of decoder.push(bytes.subarray(at, at + step))) length += data.length;
    return length;
  };
  expect(decodeAll(textOf(size))).toBe(step === 9 ? size : size + 2);
  // Quadratic work would take 64 times as long.
  expect(growthOf((length) => decodeAll(textOf(length)), size, 8)).toBeLessThan(32);
});
