import type { Candidate, GenerateContentResponse } from "@pollux/core/wire";
import { describe, expect, test } from "vitest";
import { calls, createEmulator, type Emulator, faults, script, grounded, say, think } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, eventsIn, partsOf, post, streamed, textOf, unary, WEATHER } from "./support.ts";

const ARGON = "gemini-4-argon";
const LONG = Array.from({ length: 40 }, (_, index) => `Sentence ${index + 1} of 40 is 漢字. `).join("");
const FAST = { generationConfig: { thinkingConfig: { thinkingLevel: "LOW" } } };

const lastOf = (chunks: readonly GenerateContentResponse[]): Candidate => chunks.at(-1)?.candidates?.[0] ?? {};
const said = (value: string) => ({ ...say(value), thoughtTokens: 0 });

/** Asks until an answer does not end with `CONTINUATION`. */
async function allHops(
  emulator: Emulator,
  body: object,
  how: (emulator: Emulator, body: object, model: string) => Promise<GenerateContentResponse[]>,
): Promise<GenerateContentResponse[][]> {
  const hops = [await how(emulator, body, ARGON)];
  while (hops.length < 50) {
    const { finishReason, continuationToken } = lastOf(hops.at(-1) ?? []);
    if (finishReason !== "CONTINUATION") break;
    hops.push(await how(emulator, { ...body, continuationToken }, ARGON));
  }
  return hops;
}

const asUnary = async (emulator: Emulator, body: object, model: string) => [await unary(emulator, body, model)];

describe.each([
  ["unary", asUnary],
  ["streamed", streamed],
] as const)("a long answer, %s", (_, how) => {
  test("comes in hops of the limit, and nothing is lost or repeated", async () => {
    const emulator = createEmulator({ brain: script([said(LONG)]), longDecode: { hopTokens: 100 } });
    const hops = await allHops(emulator, ask("All of it", FAST), how);
    expect(hops.map((hop) => textOf(...hop)).join("")).toBe(LONG);
    const ends = hops.map((hop) => [lastOf(hop).finishReason, typeof lastOf(hop).continuationToken]);
    expect(ends).toEqual([
      ["CONTINUATION", "string"],
      ["CONTINUATION", "string"],
      ["STOP", "undefined"],
    ]);
    for (const hop of hops) expect(hop.at(-1)?.usageMetadata?.candidatesTokenCount).toBeLessThanOrEqual(100);
  });

  test("begins with hops of nothing but thought", async () => {
    const emulator = createEmulator({
      brain: script([{ ...say("42"), thoughtTokens: 250 }]),
      longDecode: { hopTokens: 100 },
    });
    const hops = await allHops(emulator, ask("Think"), how);
    expect(hops.map((hop) => [textOf(...hop), hop.at(-1)?.usageMetadata?.thoughtsTokenCount])).toEqual([
      ["", 100],
      ["", 100],
      ["42", 50],
    ]);
  });

  test("ends at maxOutputTokens, counted over the hops, and continues when it is raised", async () => {
    const emulator = createEmulator({ brain: script([said(LONG)]), longDecode: { hopTokens: 100 } });
    const limited = (maxOutputTokens: number) => ask("All of it", { generationConfig: { maxOutputTokens } });
    const hops = await allHops(emulator, limited(150), how);
    expect(hops.map((hop) => [lastOf(hop).finishReason, hop.at(-1)?.usageMetadata?.candidatesTokenCount])).toEqual([
      ["CONTINUATION", 100],
      ["MAX_TOKENS", 50],
    ]);
    const { continuationToken } = lastOf(hops.at(-1) ?? []);
    const more = await how(emulator, { ...limited(1000), continuationToken }, ARGON);
    expect([...hops, more].map((hop) => textOf(...hop)).join("")).toBe(LONG);
  });

  test("keeps calls whole, after the text they follow", async () => {
    const emulator = createEmulator({
      brain: script([
        {
          ...say("x".repeat(38)),
          thoughtTokens: 0,
          parts: [...say("x".repeat(38)).parts, ...calls({ name: "get_weather", args: { city: "Oslo" } }).parts],
        },
      ]),
      longDecode: { hopTokens: 12 },
    });
    const hops = await allHops(emulator, ask("Weather", { tools: [WEATHER] }), how);
    expect(hops.map((hop) => partsOf(...hop).filter((part) => part.functionCall !== undefined).length)).toEqual([0, 1]);
    expect(lastOf(hops.at(-1) ?? []).finishReason).toBe("STOP");
  });

  test("has grounding of its own in each hop, over the hop's own text", async () => {
    const first = "The café is open. ";
    const answer = grounded(`${first}The 漢字 are old.`, {
      queries: ["q"],
      sources: [{ title: "a.no" }, { title: "b.no" }],
    });
    const emulator = createEmulator({
      brain: script([{ ...answer, thoughtTokens: 0 }]),
      longDecode: { hopTokens: 5 },
    });
    const hops = await allHops(emulator, ask("Ground it", { tools: [{ googleSearch: {} }] }), how);
    expect(hops.length).toBeGreaterThan(1);
    for (const hop of hops) {
      const bytes = Buffer.from(textOf(...hop));
      for (const { segment } of lastOf(hop).groundingMetadata?.groundingSupports ?? []) {
        expect(bytes.subarray(segment?.startIndex ?? 0, segment?.endIndex).toString()).toBe(segment?.text);
      }
    }
  });

  test("is one answer on models without long decode", async () => {
    const emulator = createEmulator({ brain: script([said(LONG)]), longDecode: { hopTokens: 10 } });
    const whole = await how(emulator, ask("All of it"), "gemini-3.8-flash");
    expect([textOf(...whole), lastOf(whole).finishReason]).toEqual([LONG, "STOP"]);
  });
});

describe("checkpoints of a stream", () => {
  test("come every so many chunks, and never if turned off", async () => {
    const tokens = async (checkpointEvery: number) => {
      const emulator = createEmulator({ brain: script([said(LONG)]), longDecode: { checkpointEvery } });
      const chunks = await streamed(emulator, ask("All"), ARGON);
      return chunks.flatMap((chunk, index) => (chunk.candidates?.[0]?.continuationToken === undefined ? [] : [index]));
    };
    expect((await tokens(10)).slice(0, 3)).toEqual([9, 19, 29]);
    expect(await tokens(0)).toEqual([]);
  });

  test("continue after every drop, without a repeated or a missing character", async () => {
    const emulator = createEmulator({
      brain: script([
        [think("Hm."), said(LONG)].reduce((left, right) => ({ ...right, parts: [...left.parts, ...right.parts] })),
      ]),
      longDecode: { checkpointEvery: 3 },
      faults: [{ at: [1, 2, 3], fault: faults.closeEarly({ afterChunks: 7 }) }],
    });
    const body = ask("All of it");
    let heard = "";
    let continuationToken: string | undefined;
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const response = await post(
        emulator,
        "streamGenerateContent?alt=sse",
        { ...body, ...(continuationToken && { continuationToken }) },
        ARGON,
      );
      const chunks = eventsIn(await response.text());
      const at = chunks.findLastIndex((chunk) => chunk.candidates?.[0]?.continuationToken !== undefined);
      const done = chunks.at(-1)?.candidates?.[0]?.finishReason === "STOP";
      heard += textOf(...(done ? chunks : chunks.slice(0, at + 1)));
      continuationToken = chunks[at]?.candidates?.[0]?.continuationToken;
    }
    expect(heard).toBe(LONG);
    expect(emulator.requests.map(({ answered }) => answered.complete)).toEqual([false, false, false, true]);
  });

  test("of one hop lead into the next", async () => {
    const emulator = createEmulator({
      brain: script([said(LONG)]),
      longDecode: { hopTokens: 100, checkpointEvery: 5 },
    });
    const body = ask("All of it");
    const first = await streamed(emulator, body, ARGON);
    const at = first.findIndex((chunk) => chunk.candidates?.[0]?.continuationToken !== undefined);
    const { continuationToken } = first[at]?.candidates?.[0] ?? {};
    const rest = await streamed(emulator, { ...body, continuationToken }, ARGON);
    const more = await streamed(emulator, { ...body, continuationToken: lastOf(rest).continuationToken }, ARGON);
    const last = await streamed(emulator, { ...body, continuationToken: lastOf(more).continuationToken }, ARGON);
    expect(textOf(...first.slice(0, at + 1), ...rest, ...more, ...last)).toBe(LONG);
  });
});

test("a stale token is refused, unless guesses are off", async () => {
  const answers = async (guesses: boolean) => {
    const emulator = createEmulator({ brain: improvise(), strict: { guesses } });
    const body = { ...ask("Something"), continuationToken: "bm9ib2R5J3M=" };
    const { status } = await post(emulator, "generateContent", body, ARGON);
    return [status, emulator.requests[0]?.answered.rule];
  };
  expect(await answers(true)).toEqual([400, "continuation"]);
  expect(await answers(false)).toEqual([200, undefined]);
});
