import { describe, expect, test } from "vitest";
import { createEmulator, type Emulator, script, say } from "../src/index.ts";
import { MODELS } from "../src/catalog/models.ts";
import { implicitCacheMinimum } from "../src/respond/prompt-cache.ts";
import { MODEL, unary, WEATHER } from "./support.ts";

const user = (said: string): object => ({ role: "user", parts: [{ text: said }] });
const SAYS_OK = { role: "model", parts: [{ text: "ok" }] };
/** A text of this many tokens, in which no two blocks are the same. */
const words = (tokens: number, first = ""): string =>
  `${first}${Array.from({ length: tokens }, (_, index) => String(index).padStart(4, "0")).join("")}`.slice(
    0,
    tokens * 4,
  );

/** A call and a long answer to it. */
const answered = (call: object): object => {
  const functionResponse = { name: "f", response: { output: words(5000) } };
  return {
    contents: [user("Hi"), { role: "model", parts: [call] }, { role: "user", parts: [{ functionResponse }] }],
  };
};

const talkative = (options: object = {}): Emulator =>
  createEmulator({ brain: script([say("ok")], { afterwards: "repeat-last" }), ...options });

/** Prompt tokens and cached tokens of each request. */
async function counted(emulator: Emulator, bodies: readonly object[], model?: string): Promise<[number, number][]> {
  const counts: [number, number][] = [];
  for (const body of bodies) {
    const { usageMetadata } = await unary(emulator, body, model);
    counts.push([usageMetadata?.promptTokenCount ?? 0, usageMetadata?.cachedContentTokenCount ?? 0]);
  }
  return counts;
}

describe("a prompt that begins like an earlier one", () => {
  test("is cached as far as the earlier one went", async () => {
    const contents = [user(words(5001))];
    const next = [...contents, SAYS_OK, user("And?")];
    const emulator = talkative();
    expect(await counted(emulator, [{ contents }, { contents: next }, { contents: next }])).toEqual([
      [5001, 0],
      [5003, 5001],
      [5003, 5003],
    ]);
    const { usageMetadata } = await unary(emulator, { contents: next });
    expect(usageMetadata).toMatchObject({ cacheTokensDetails: [{ modality: "TEXT", tokenCount: 5003 }] });
  });

  test("is cached in whole blocks when it differs from the middle of a text on", async () => {
    const told = words(6000);
    const changed = `${told.slice(0, 5000 * 4)}X${told.slice(5000 * 4 + 1)}`;
    expect(await counted(talkative(), [{ contents: [user(told)] }, { contents: [user(changed)] }])).toEqual([
      [6000, 0],
      [6000, 39 * 128],
    ]);
  });

  test("shares its instructions and tools with one that asks something else", async () => {
    const head = { systemInstruction: { parts: [{ text: words(5000) }] }, tools: [WEATHER] };
    const [first, second] = await counted(talkative(), [
      { ...head, contents: [user("Oslo?")] },
      { ...head, contents: [user("Lima, and then Quito?")] },
    ]);
    const question = 2;
    expect(first).toEqual([expect.any(Number), 0]);
    expect(second?.[1]).toBe((first?.[0] ?? 0) - question);
  });

  test.each<[string, (contents: readonly object[]) => object]>([
    ["settings", (contents) => ({ contents, generationConfig: { temperature: 0.5 } })],
    ["another order of fields", (contents) => ({ generationConfig: { temperature: 1 }, contents })],
    ["a tool config", (contents) => ({ contents, toolConfig: { functionCallingConfig: { mode: "AUTO" } } })],
  ])("is cached regardless of the fields outside it: %s", async (_what, bodyOf) => {
    const contents = [user(words(5000))];
    expect((await counted(talkative(), [{ contents }, bodyOf(contents)]))[1]).toEqual([5000, 5000]);
  });

  test.each<[string, object, object]>([
    ["the first byte", { contents: [user(words(5000))] }, { contents: [user(words(5000, "X"))] }],
    [
      "the instructions",
      { contents: [user(words(5000))] },
      { systemInstruction: { parts: [{ text: "Be brief." }] }, contents: [user(words(5000))] },
    ],
    ["the tools", { contents: [user(words(5000))] }, { tools: [WEATHER], contents: [user(words(5000))] }],
    [
      "the order of keys in a content",
      answered({ functionCall: { name: "f", args: {} } }),
      answered({ functionCall: { args: {}, name: "f" } }),
    ],
  ])("is not cached when something before it changed: %s", async (_what, before, after) => {
    const emulator = talkative();
    expect((await counted(emulator, [before, after], "gemini-2.5-flash"))[1]).toEqual([expect.any(Number), 0]);
  });

  test("is not cached for another model", async () => {
    const body = { contents: [user(words(7000))] };
    const emulator = talkative();
    await counted(emulator, [body]);
    expect(await counted(emulator, [body], "gemini-3.6-flash")).toEqual([[7000, 0]]);
  });

  test("is remembered through many others", async () => {
    const kept = { contents: [user(words(5000))] };
    const emulator = talkative();
    await counted(emulator, [kept]);
    for (let index = 0; index < 20; index++) {
      await counted(emulator, [{ contents: [user(words(200_000, `other ${index} `))] }]);
      await counted(emulator, [kept]);
    }
    expect(await counted(emulator, [kept])).toEqual([[5000, 5000]]);
  });
});

describe("the least that is cached", () => {
  test.each([
    ["gemini-3.8-flash", 4096],
    ["gemini-3.1-pro-preview", 4096],
    ["gemini-3-flash-preview", 1024],
    ["gemini-2.5-flash", 2048],
    ["gemini-4-argon", 6144],
    ["gemini-4-hydrogen", 4096],
  ])("on %s is %d tokens", async (model, minimum) => {
    const bodies = (tokens: number): object[] => Array.from({ length: 2 }, () => ({ contents: [user(words(tokens))] }));
    expect((await counted(talkative(), bodies(minimum - 1), model))[1]).toEqual([minimum - 1, 0]);
    expect((await counted(talkative(), bodies(minimum), model))[1]).toEqual([minimum, minimum]);
  });

  test.each(["gemini-2.0-flash", "gemma-4-31b-it"])("on %s is more than there can be", async (model) => {
    const body = { contents: [user(words(9000))] };
    expect(await counted(talkative(), [body, body], model)).toEqual([
      [9000, 0],
      [9000, 0],
    ]);
  });

  test("is known of every model", () => {
    const unknown = MODELS.filter((model) => !(implicitCacheMinimum(model) >= 1024)).map(({ id }) => id);
    expect(unknown).toEqual([]);
  });

  test("can be changed", async () => {
    const bodies = [{ contents: [user("Hello, you")] }, { contents: [user("Hello, you")] }];
    expect((await counted(talkative({ caches: { implicitMinTokens: 1 } }), bodies))[1]).toEqual([3, 3]);
    const long = [{ contents: [user(words(9000))] }, { contents: [user(words(9000))] }];
    const off = talkative({ caches: { implicitMinTokens: Number.POSITIVE_INFINITY } });
    expect((await counted(off, long, MODEL))[1]).toEqual([9000, 0]);
  });
});
