import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Content } from "../../../src/wire/types/content.ts";
import { RequestEncoder } from "../../../src/wire/http/encode-request.ts";
import type { GenerateContentRequest } from "../../../src/wire/types/generate-content.ts";
import { anyText } from "../../helpers/any-text.ts";

const text = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const say = (words: string, role: Content["role"] = "user"): Content => ({ role, parts: [{ text: words }] });
const content = anyText({ maxLength: 3000 }).map((words) => say(words));
const plain = (request: GenerateContentRequest): unknown => JSON.parse(JSON.stringify(request));

test("system instruction, tools and cached content stand before the contents, the rest after them", () => {
  const request: GenerateContentRequest = {
    generationConfig: { temperature: 0 },
    toolConfig: { functionCallingConfig: { mode: "ANY" } },
    contents: [say("hi")],
    cachedContent: "cachedContents/1",
    tools: [{ googleSearch: {} }],
    systemInstruction: { parts: [{ text: "be brief" }] },
  };
  expect(text(new RequestEncoder().encode(request))).toBe(
    '{"systemInstruction":{"parts":[{"text":"be brief"}]},"tools":[{"googleSearch":{}}],"cachedContent":"cachedContents/1",' +
      '"contents":[{"role":"user","parts":[{"text":"hi"}]}],' +
      '"generationConfig":{"temperature":0},"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}',
  );
});

test("the bytes are the request, and grow from one request to the next", () => {
  const step = fc.record({
    contents: fc.array(content, { maxLength: 4 }),
    temperature: fc.option(fc.integer(), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), fc.boolean(), (steps, instructed) => {
      const encoder = new RequestEncoder();
      const systemInstruction = instructed ? { parts: [{ text: "é漢🙂" }] } : undefined;
      let contents: readonly Content[] = [];
      let prefix = "";
      for (const { contents: added, temperature } of steps) {
        contents = contents.concat(added);
        const request: GenerateContentRequest = { systemInstruction, contents, generationConfig: { temperature } };
        const body = text(encoder.encode(request));
        expect(JSON.parse(body)).toEqual(plain(request));
        expect(body.startsWith(prefix)).toBe(true);
        prefix = body.slice(0, body.lastIndexOf('],"generationConfig"'));
      }
      expect(encoder.serializedContents).toBe(contents.length);
    }),
  );
});

test("any edit of history gives the right bytes", () => {
  const pool = Array.from({ length: 5 }, (_, i) => say(`content ${i} ${"é".repeat(i * 900)}`));
  fc.assert(
    fc.property(fc.array(fc.array(fc.constantFrom(...pool), { maxLength: 8 }), { maxLength: 8 }), (histories) => {
      const encoder = new RequestEncoder();
      for (const contents of histories) expect(JSON.parse(text(encoder.encode({ contents })))).toEqual({ contents });
    }),
  );
});

describe("what is serialized again", () => {
  const [a, b, c] = [say("a"), say("b", "model"), say("c")] as const;
  const tools = [{ googleSearch: {} }];
  const count = (...requests: readonly GenerateContentRequest[]): number => {
    const encoder = new RequestEncoder();
    for (const request of requests) {
      expect(JSON.parse(text(encoder.encode(request)))).toEqual(plain(request));
    }
    return encoder.serializedContents;
  };

  test.each<[string, number, GenerateContentRequest[]]>([
    ["nothing, when the request is the same", 2, [{ contents: [a, b] }, { contents: [a, b] }]],
    ["what was appended", 3, [{ contents: [a, b] }, { contents: [a, b, c] }]],
    ["nothing, when only what stands after changes", 1, [{ contents: [a] }, { contents: [a], store: false }]],
    [
      "nothing, when the head is equal but not the same",
      1,
      [
        { tools, contents: [a] },
        { tools: structuredClone(tools), contents: [a] },
      ],
    ],
    ["all, when the head changes", 2, [{ contents: [a] }, { tools, contents: [a] }]],
    ["from the first other content on", 4, [{ contents: [a, b, c] }, { contents: [a, { ...b }] }]],
    ["nothing, when the end is dropped", 3, [{ contents: [a, b, c] }, { contents: [a] }]],
  ])("%s", (_name, expected, requests) => {
    expect(count(...requests)).toBe(expected);
  });
});

test("each body is a copy of its own", () => {
  const encoder = new RequestEncoder();
  const first = encoder.encode({ contents: [say("a")] });
  const before = text(first);
  encoder.encode({ contents: [say("another")] });
  expect(text(first)).toBe(before);
});

test("gives a view of its own memory, which is valid until the next request and costs no copy", () => {
  const encoder = new RequestEncoder();
  const first: Content = { role: "user", parts: [{ text: "go" }] };
  const body = encoder.encodeView({ contents: [first], generationConfig: { temperature: 1 } });
  const sent = text(body);
  expect(sent).toBe('{"contents":[{"role":"user","parts":[{"text":"go"}]}],"generationConfig":{"temperature":1}}');
  const kept = encoder.encode({ contents: [first], generationConfig: { temperature: 1 } });
  const next = encoder.encodeView({ contents: [first, { role: "model", parts: [{ text: "on" }] }] });
  expect(next.buffer).toBe(body.buffer);
  expect(text(kept)).toBe(sent);
});
