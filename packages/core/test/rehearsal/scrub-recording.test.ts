import { existsSync, globSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exchangeEntry, KeptExchanges } from "../../src/exchanges/kept-exchanges.ts";
import { resolveCitations } from "../../src/grounding/citations.ts";
import { collectSources } from "../../src/grounding/sources.ts";
import type { Json } from "../../src/internal/json.ts";
import type { ModelResponse } from "../../src/model/model.ts";
import { readResponseBody } from "../../src/model/response/fold.ts";
import { visibleText } from "../../src/model/response/parts.ts";
import { scrubRecording } from "../../src/rehearsal/scrub-recording.ts";
import { anyText } from "../helpers/any-text.ts";

const RECORDINGS = new URL("../../../../../shared/recordings/", import.meta.url).pathname;
const PLACE = { kind: "model", phase: "work", turn: 1, attempt: 0 } as const;
const KEY = `AIza${"x".repeat(35)}`;

/** An exchange whose answer came in these pieces. */
function exchange(
  request: unknown,
  chunks: readonly string[],
  more: { readonly status?: number; readonly operation?: string } = {},
): Json {
  return exchangeEntry({
    startedAt: 1,
    endedAt: 2,
    runId: "r",
    step: { name: "model:1", place: PLACE, attempt: 0 },
    attempt: 1,
    agent: "agent",
    model: "gemini-3.8-flash",
    operation: "streamGenerateContent",
    method: "POST",
    url: "http://127.0.0.1/",
    requestHeaders: {},
    body: typeof request === "string" ? request : JSON.stringify(request),
    status: 200,
    responseHeaders: {},
    chunks: chunks.map((text, index) => ({ ms: index, text })),
    ended: "complete",
    ...more,
  });
}

function answersOf(exchanges: readonly Json[]): readonly ModelResponse[] {
  return new KeptExchanges(exchanges).exchanges.map(
    ({ chunks }) => readResponseBody(chunks.map(({ text }) => text).join("")).response,
  );
}

function scrubAnswers(exchanges: readonly Json[], scrub: (text: string) => string): readonly ModelResponse[] {
  return answersOf(scrubRecording({ log: [], exchanges }, scrub).recording.exchanges);
}

const event = (value: object): string => `data: ${JSON.stringify(value)}\r\n\r\n`;

/** Whether a range of bytes has nothing of a name, nor of the few characters between two names. */
function isApart(
  text: string,
  { startIndex, endIndex }: { readonly startIndex: number; readonly endIndex: number },
): boolean {
  const ranges = Array.from(text.matchAll(/Anna(?:.{0,16}Anna)*/gsu), ({ 0: name, index }) => {
    const start = Buffer.byteLength(text.slice(0, index));
    return [start, start + Buffer.byteLength(name)] as const;
  });
  return ranges.every(([start, end]) => endIndex <= start || startIndex >= end);
}

/** A text in pieces. */
const PIECES = fc.array(anyText({ maxLength: 12 }), { minLength: 1, maxLength: 6 });

test("an answer in any pieces is scrubbed as a whole, and its citations keep their texts", () => {
  const input = fc.tuple(PIECES, PIECES, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }), fc.nat({ max: 40 }));
  fc.assert(
    fc.property(input, ([before, after, picks, size]) => {
      // The name begins in one piece and ends in another.
      const deltas = [...before.slice(0, -1), `${before.at(-1)}An`, `na${after[0]}`, ...after.slice(1)].filter(
        (one) => one !== "",
      );
      const text = deltas.join("");
      const characters = Array.from(text);
      const groundingSupports = picks.map(([a, b]) => {
        const [start, end] = [a % (characters.length + 1), b % (characters.length + 1)].toSorted(
          (one, other) => one - other,
        ) as [number, number];
        const bytes = (count: number): number => Buffer.byteLength(characters.slice(0, count).join(""));
        const segment = { startIndex: bytes(start), endIndex: bytes(end), text: characters.slice(start, end).join("") };
        return { segment, groundingChunkIndices: [0] };
      });
      const grounding = {
        groundingChunks: [{ web: { uri: "https://a.b/", title: "Anna's page" } }],
        groundingSupports,
      };
      const stream = [
        ...deltas.map((delta) => event({ candidates: [{ content: { role: "model", parts: [{ text: delta }] } }] })),
        event({ candidates: [{ finishReason: "STOP", groundingMetadata: grounding }] }),
      ].join("");
      // Cut anywhere, also inside a character of the stream.
      const chunks = Array.from({ length: Math.ceil(stream.length / (size + 1)) }, (_, at) =>
        stream.slice(at * (size + 1), (at + 1) * (size + 1)),
      );
      const scrub = (one: string): string => one.replaceAll("Anna", "Jörg 😀");
      const recording = { log: [], exchanges: [exchange({ contents: [] }, chunks)] };
      const scrubbed = scrubRecording(recording, scrub).recording;
      const [answer] = answersOf(scrubbed.exchanges);
      const now = visibleText(answer!.content);
      expect(now).toBe(scrub(text));
      const { groundingSupports: supports = [], groundingChunks } = answer!.candidate.groundingMetadata!;
      expect(groundingChunks).toEqual([{ web: { uri: "https://a.b/", title: "Jörg 😀's page" } }]);
      expect(supports).toHaveLength(groundingSupports.length);
      for (const { segment } of supports)
        expect(
          Buffer.from(now)
            .subarray(segment?.startIndex ?? 0, segment?.endIndex ?? 0)
            .toString(),
        ).toBe(segment?.text ?? "");
      for (const [at, { segment }] of groundingSupports.entries())
        if (isApart(text, segment)) expect(supports[at]?.segment?.text).toBe(segment.text);
      expect(scrubRecording(scrubbed, scrub).recording).toEqual(scrubbed);
    }),
    { numRuns: 300 },
  );
});

const noAnna = (text: string): string => text.replaceAll("Anna", "K");
const answer = (parts: readonly object[], candidate: object = {}): object => ({
  candidates: [{ content: { role: "model", parts }, finishReason: "STOP", ...candidate }],
  modelVersion: "version-1",
});

test("signatures of a content that was changed are taken out wherever it is, and a call gets the placeholder", () => {
  const parts = [
    { text: "I think of Anna", thought: true },
    { text: "Hello An", thoughtSignature: "c2ln" },
    { text: "na!" },
    { text: "", thoughtSignature: "ZW1wdHk=" },
    { functionCall: { name: "Anna", args: { Anna: ["Anna"] } }, thoughtSignature: "Y2FsbA==" },
  ];
  // Of another content that stays.
  const kept = { role: "model", parts: [{ text: "Hm", thoughtSignature: "c3RheXM=" }] };
  const user = { role: "user", parts: [{ text: "I am Anna." }, { text: "Who are you?" }] };
  // Without its thought, as it may be sent back.
  const request = { contents: [user, kept, { role: "model", parts: parts.slice(1) }] };
  const exchanges = [
    exchange({ contents: [user, kept] }, [event(answer(parts))]),
    exchange(request, [event(answer([{ text: "?" }]))]),
  ];
  const { recording, counts } = scrubRecording({ log: [], exchanges }, noAnna);
  const scrubbed = [
    { text: "I think of K", thought: true },
    { text: "Hello K!" },
    { functionCall: { name: "Anna", args: { Anna: ["K"] } }, thoughtSignature: "skip_thought_signature_validator" },
  ];
  expect(answersOf(recording.exchanges)[0]).toMatchObject({
    content: { role: "model", parts: scrubbed },
    envelope: { modelVersion: "version-1" },
  });
  const bodies = new KeptExchanges(recording.exchanges);
  expect(JSON.parse(new TextDecoder().decode(bodies.body(1)))).toEqual({
    contents: [
      { role: "user", parts: [{ text: "I am K." }, { text: "Who are you?" }] },
      kept,
      { role: "model", parts: scrubbed.slice(1) },
    ],
  });
  expect(counts).toMatchObject({ signatures: 3, exchanges: 2 });
  expect(scrubRecording(recording, noAnna).recording).toEqual(recording);
});

test.each([
  ["one object", JSON.stringify(answer([{ text: "Anna" }]), null, 2), JSON.stringify(answer([{ text: "K" }]))],
  ["a list", `[${JSON.stringify(answer([{ text: "Anna" }]))}\n]`, JSON.stringify([answer([{ text: "K" }])])],
  [
    "an error",
    '{"error":{"code":400,"message":"Anna is refused","status":"INVALID_ARGUMENT"}}',
    '{"error":{"code":400,"message":"K is refused","status":"INVALID_ARGUMENT"}}',
  ],
  ["no JSON", "<h1>Anna</h1>", "<h1>K</h1>"],
  [
    "a refused prompt",
    event({ promptFeedback: { blockReason: "SAFETY", blockReasonMessage: "Anna" } }),
    event({ promptFeedback: { blockReason: "SAFETY", blockReasonMessage: "K" } }),
  ],
])("the body of an answer that is %s stays one", (_name, body, scrubbed) => {
  const { recording } = scrubRecording({ log: [], exchanges: [exchange({}, [body])] }, noAnna);
  expect(new KeptExchanges(recording.exchanges).exchanges[0]?.chunks).toEqual([{ ms: 0, text: scrubbed }]);
});

test.each([
  [
    "what a later chunk replaces",
    `${event(answer([{ text: "Hi" }], { groundingMetadata: { groundingChunks: [{ web: { title: "Anna" } }] } }))}${event(answer([], { groundingMetadata: { groundingChunks: [{ web: { title: "B" } }] } }))}`,
  ],
  [
    "another candidate",
    event({
      candidates: [
        { index: 0, content: { parts: [{ text: "Hi" }] } },
        { index: 1, content: { parts: [{ text: "Anna" }] } },
      ],
    }),
  ],
  [
    "an event that was cut off",
    `${event(answer([{ text: "Hi" }]))}data: {"candidates":[{"content":{"parts":[{"text":"Anna`,
  ],
  [
    "the tokens of a text",
    event(answer([{ text: "Anna" }], { logprobsResult: { chosenCandidates: [{ token: "An" }, { token: "na" }] } })),
  ],
])("nothing is left of %s", (_name, body) => {
  const { recording } = scrubRecording({ log: [], exchanges: [exchange({}, [body])] }, noAnna);
  expect(JSON.stringify(recording.exchanges)).not.toMatch(/Anna|"An|"na/);
});

test("the quoted works of an answer keep their places", () => {
  const citationMetadata = {
    citationSources: [
      { startIndex: 5, endIndex: 14, uri: "https://a.b/Anna" },
      { startIndex: 15, endIndex: 18 },
    ],
  };
  const body = event(answer([{ text: "Anna says 😀 so and so" }], { citationMetadata }));
  const [scrubbed] = scrubAnswers([exchange({}, [body])], noAnna);
  expect(scrubbed?.candidate.citationMetadata).toEqual({
    citationSources: [
      { startIndex: 2, endIndex: 11, uri: "https://a.b/K" },
      { startIndex: 12, endIndex: 15 },
    ],
  });
});

test("keys are taken out of all texts but signatures and media, and are not shown", () => {
  const blob = { inlineData: { mimeType: "image/png", data: KEY } };
  const request = {
    contents: [{ role: "user", parts: [{ text: `My key: ${KEY}, and hunter2-hunter2` }, blob] }],
    tools: [{ mcpServers: [{ headers: { "x-token": "hunter2-hunter2" } }] }],
  };
  const log = [{ v: 3, type: "info", at: 1, title: `${KEY}, our-own-secret` }];
  const { recording, differences, counts } = scrubRecording({ log, exchanges: [exchange(request, [])] }, String, {
    secrets: ["our-own-secret"],
  });
  const mark = "[redacted]".padEnd(KEY.length, ".");
  expect(recording.log).toEqual([{ ...log[0], title: `${mark}, [redacted]....` }]);
  expect(JSON.parse(new TextDecoder().decode(new KeptExchanges(recording.exchanges).body(0)))).toEqual({
    contents: [{ role: "user", parts: [{ text: `My key: ${mark}, and [redacted].....` }, blob] }],
    tools: [{ mcpServers: [{ headers: { "x-token": "[redacted]....." } }] }],
  });
  expect(JSON.stringify(differences)).not.toMatch(/AIza|hunter2|our-own/);
  expect(counts).toMatchObject({ secrets: 3, media: 1 });
});

test("the same text becomes the same everywhere, also by a function that does not", () => {
  let count = 0;
  const log = ["Anna", "Bo", "Anna"].map((title) => ({ v: 3, type: "info", at: 1, title }));
  const { recording, differences } = scrubRecording({ log, exchanges: [] }, () => `person ${++count}`);
  expect(recording.log.map((entry) => (entry as { title: string }).title)).toEqual([
    "person 1",
    "person 2",
    "person 1",
  ]);
  expect(differences.map(({ where }) => where)).toEqual(["log[0].title", "log[1].title"]);
});

test("entries that cannot be read are left out", () => {
  const good = exchange({ contents: [{ role: "user", parts: [{ text: "Anna" }] }] }, []);
  const exchanges = [7, good, { v: 1, type: "exchange", secret: "Anna" }];
  const { recording, counts } = scrubRecording({ log: [], exchanges }, noAnna);
  expect(recording.exchanges).toMatchObject([{ body: { parts: [expect.stringContaining('"K"')] } }]);
  expect(counts.unreadable).toBe(2);
});

test("a function that returns no text gets an error", () => {
  const log = [{ v: 3, type: "info", at: 1, title: "Anna" }];
  // As an author may write in JavaScript.
  const scrub = ((): undefined => {}) as unknown as (text: string) => string;
  expect(() => scrubRecording({ log, exchanges: [] }, scrub)).toThrow(
    new TypeError("scrub must return a string, but returned undefined for the text at log[0].title"),
  );
});

describe.skipIf(!existsSync(RECORDINGS))("recorded grounded answers", () => {
  const bodies = !existsSync(RECORDINGS)
    ? []
    : globSync("*/*.json", { cwd: RECORDINGS })
        .toSorted()
        .flatMap((name) => {
          const { exchanges } = JSON.parse(readFileSync(RECORDINGS + name, "utf8")) as {
            readonly exchanges: readonly { readonly responseBody?: string }[];
          };
          return exchanges.flatMap(({ responseBody = "" }) =>
            responseBody.includes("groundingSupports") ? [[name, responseBody] as const] : [],
          );
        });

  test.each(bodies)("%s: every citation that was right is right after a word was replaced", (_name, body) => {
    const exchanges = [exchange({}, [body])];
    const [before] = answersOf(exchanges);
    const text = visibleText(before!.content);
    // One that is in the text more than once where there is one, so that citations are before, around and after it.
    const words = text.match(/\p{L}{5,}/gu) ?? ["none"];
    const word = words.toSorted((a, b) => text.split(b).length - text.split(a).length)[0] ?? "";
    const scrub = (one: string): string => one.replaceAll(word, "📕…");
    const [after] = scrubAnswers(exchanges, scrub);
    const now = visibleText(after!.content);
    expect(now).toBe(scrub(text));
    const [old, moved] = [before, after].map((one) => resolveCitations(one!, collectSources([one!]).sources)) as [
      ReturnType<typeof resolveCitations>,
      ReturnType<typeof resolveCitations>,
    ];
    expect(moved).toHaveLength(old.length);
    for (const [at, { match, text: said, start, end }] of old.entries()) {
      const citation = moved[at]!;
      if (match === "unverified") continue;
      expect(citation.match).toBe("exact");
      expect(now.slice(citation.start, citation.end)).toBe(citation.text);
      if (!said.includes(word) && !text.slice(Math.max(0, start - 20), end + 20).includes(word))
        expect(citation.text).toBe(said);
    }
  });
});
