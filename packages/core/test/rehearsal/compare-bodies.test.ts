import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sharedPrefix } from "../../src/internal/text.ts";
import { compareBodies, comparePrefix } from "../../src/rehearsal/compare-bodies.ts";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const user = (...texts: readonly string[]) => ({ role: "user", parts: texts.map((text) => ({ text })) });
const model = (text: string) => ({ role: "model", parts: [{ text }] });
const tool = (name: string, description = "Does it.") => ({ name, description });

const HEAD = {
  systemInstruction: { parts: [{ text: "You plan trips. Be brief." }] },
  tools: [{ functionDeclarations: [tool("look"), tool("walk")] }],
};
const TALK = [user("Hi"), model("Hello"), user("And now?", "Say.")];
const BEFORE = { ...HEAD, contents: TALK, generationConfig: { temperature: 1 } };

describe("a request that continues the one before", () => {
  test.each<[string, unknown]>([
    ["is the same", BEFORE],
    ["has more contents", { ...BEFORE, contents: [...TALK, model("Yes.")] }],
    ["has other settings after the contents", { ...BEFORE, generationConfig: { temperature: 0 } }],
    ["has no settings after the contents", { ...HEAD, contents: TALK }],
    ["takes back the last contents", { ...BEFORE, contents: TALK.slice(0, 2) }],
  ])("%s", (_name, after) => {
    const [a, b] = [encode(BEFORE), encode(after)];
    expect(comparePrefix(a, b)).toEqual({ sharedBytes: sharedPrefix(a, b) });
  });
});

/** What differs, and how it is described. */
type Case = [string, after: unknown, field: string, was: string | undefined, is: string | undefined, before?: unknown];
const withTools = (...declarations: readonly object[]) => ({
  ...BEFORE,
  tools: [{ functionDeclarations: declarations }],
});
const instructed = (text: string) => ({ ...BEFORE, systemInstruction: { parts: [{ text }] } });

describe("a prefix is broken by", () => {
  test.each<Case>([
    [
      "other instructions",
      instructed("You plan trips. Be exact."),
      "systemInstruction.parts[0].text",
      '"You plan trips. Be brief."',
      '"You plan trips. Be exact."',
    ],
    [
      "instructions that begin otherwise",
      instructed("Plan."),
      "systemInstruction.parts[0].text",
      '"You plan trips. Be brief."',
      '"Plan."',
    ],
    [
      "instructions that are gone",
      { ...BEFORE, systemInstruction: undefined },
      "systemInstruction",
      `"systemInstruction":${JSON.stringify(HEAD.systemInstruction)}`,
      undefined,
    ],
    [
      "instructions that are new",
      BEFORE,
      "systemInstruction",
      undefined,
      `"systemInstruction":${JSON.stringify(HEAD.systemInstruction)}`,
      { ...BEFORE, systemInstruction: undefined },
    ],
    [
      "another tool",
      withTools(tool("look"), tool("wait")),
      "tools[0].functionDeclarations[1].name",
      '"walk"',
      '"wait"',
    ],
    [
      "one more tool",
      withTools(tool("look"), tool("walk"), tool("swim")),
      "tools[0].functionDeclarations[2]",
      undefined,
      JSON.stringify(tool("swim")),
    ],
    [
      "one tool less",
      withTools(tool("look")),
      "tools[0].functionDeclarations[1]",
      JSON.stringify(tool("walk")),
      undefined,
    ],
    [
      "the first tool",
      withTools(tool("look")),
      "tools[0].functionDeclarations[0]",
      undefined,
      JSON.stringify(tool("look")),
      withTools(),
    ],
    [
      "the last tool",
      withTools(),
      "tools[0].functionDeclarations[0]",
      JSON.stringify(tool("look")),
      undefined,
      withTools(tool("look")),
    ],
    [
      "one more member",
      withTools(tool("look"), { ...tool("walk"), behavior: "BLOCKING" }),
      "tools[0].functionDeclarations[1].behavior",
      undefined,
      '"behavior":"BLOCKING"',
    ],
    [
      "an edited message",
      { ...BEFORE, contents: [user("Ho"), ...TALK.slice(1)] },
      "contents[0].parts[0].text",
      '"Hi"',
      '"Ho"',
    ],
    [
      "one part more in an old message",
      { ...BEFORE, contents: [user("Hi", "there"), ...TALK.slice(1)] },
      "contents[0].parts[1]",
      undefined,
      '{"text":"there"}',
    ],
    ["a summary", { ...BEFORE, contents: [user("Summary")] }, "contents[0].parts[0].text", '"Hi"', '"Summary"'],
    ["another role", { ...BEFORE, contents: [user("Hi"), user("Hello")] }, "contents[1].role", '"model"', '"user"'],
    ["a longer number", { n: 123, contents: [1] }, "n", "12", "123", { n: 12, contents: [1] }],
    ["a shorter number", { n: 12, contents: [1] }, "n", "123", "12", { n: 123, contents: [1] }],
    ["a value of another kind", { n: [1], contents: [1] }, "n", "1", "[1]", { n: 1, contents: [1] }],
    [
      "a name that needs quotes",
      { "a-b": { "c d": 2 }, contents: [1] },
      '["a-b"]["c d"]',
      "1",
      "2",
      { "a-b": { "c d": 1 }, contents: [1] },
    ],
  ])("%s", (...[_name, after, field, was, is, before = BEFORE]: Case) => {
    const [a, b] = [encode(before), encode(after)];
    const { sharedBytes, broken } = comparePrefix(a, b);
    expect(broken).toMatchObject({ field });
    // The ends of a long value may be left out.
    const bare = (text: string | undefined) => text?.replaceAll("…", "");
    const expectPart = (found: string | undefined, wanted: string | undefined): void => {
      if (wanted === undefined) expect(found).toBeUndefined();
      else expect(wanted).toContain(bare(found) ?? "nothing");
    };
    expectPart(broken?.was, was);
    expectPart(broken?.is, is);
    expect(broken?.lostBytes).toBe(contentsEnd(before) - sharedBytes);
  });

  test("one letter in a long text, shown with what is around it", () => {
    const text = (middle: string): string => `${"Überall ".repeat(5000)}${middle}${" nirgends".repeat(5000)}`;
    const { broken } = comparePrefix(encode(instructed(text("é"))), encode(instructed(text("è"))));
    expect(broken).toMatchObject({ field: "systemInstruction.parts[0].text" });
    expect(broken?.was).toMatch(/^…[^\uFFFD]*Überall é nirgends[^\uFFFD]*…$/);
    expect(broken?.is).toMatch(/^…[^\uFFFD]*Überall è nirgends[^\uFFFD]*…$/);
    expect(broken?.was?.length).toBeLessThan(130);
  });
});

/** Where the contents of a body end. */
function contentsEnd(body: unknown): number {
  const { contents } = Object(body) as { contents: unknown };
  const text = JSON.stringify(body);
  const list = JSON.stringify(contents);
  return new TextEncoder().encode(text.slice(0, text.indexOf(`"contents":${list}`) + `"contents":${list}`.length - 1))
    .length;
}

const text = fc.string({ unit: fc.constantFrom("a", "é", "漢", "🌍", '"', "\\", "]", "}", ","), maxLength: 8 });
const message = fc.array(text, { minLength: 1, maxLength: 3 }).map((texts) => user(...texts));
const request = fc.record({
  systemInstruction: fc.option(fc.record({ parts: fc.tuple(fc.record({ text })) }), { nil: undefined }),
  tools: fc.option(
    fc.array(fc.record({ functionDeclarations: fc.array(fc.record({ name: text, description: text })) })),
    { nil: undefined },
  ),
  contents: fc.array(message, { minLength: 1, maxLength: 4 }),
  generationConfig: fc.option(fc.record({ stopSequences: fc.array(text) }), { nil: undefined }),
});

test("a prefix is broken if and only if something before the end of the earlier contents differs", () => {
  fc.assert(
    fc.property(request, request, fc.boolean(), fc.boolean(), (before, other, sameHead, goesOn) => {
      const after = {
        ...(sameHead
          ? { systemInstruction: before.systemInstruction, tools: before.tools }
          : { systemInstruction: other.systemInstruction, tools: other.tools }),
        contents: goesOn ? [...before.contents, ...other.contents] : other.contents,
        generationConfig: other.generationConfig,
      };
      const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
      const isHeadSame = same(before.systemInstruction, after.systemInstruction) && same(before.tools, after.tools);
      const count = Math.min(before.contents.length, after.contents.length);
      const continues = isHeadSame && same(before.contents.slice(0, count), after.contents.slice(0, count));
      const { broken } = comparePrefix(encode(before), encode(after));
      expect(broken === undefined).toBe(continues);
      if (broken !== undefined) {
        // The path leads to what differs.
        const read = (value: unknown): unknown =>
          [...broken.field.matchAll(/\w+/g)].reduce<unknown>((inner, [name]) => Object(inner)[name] as unknown, value);
        expect(same(read(before), read(after))).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

test("anything may be compared, also what is no JSON", () => {
  const bytes = fc
    .string({ unit: fc.constantFrom("[", "]", "{", "}", ",", ":", '"', "\\", " ", "1", "e"), maxLength: 30 })
    .map((said) => new TextEncoder().encode(said));
  fc.assert(
    fc.property(
      fc.oneof(bytes, fc.uint8Array({ maxLength: 30 })),
      fc.oneof(bytes, fc.uint8Array({ maxLength: 30 })),
      (a, b) => {
        expect(comparePrefix(a, b).sharedBytes).toBe(sharedPrefix(a, b));
        expect(compareBodies(a, b) === undefined).toBe(a.join() === b.join());
      },
    ),
  );
});

describe("whole bodies", () => {
  test.each<[string, unknown, ReturnType<typeof compareBodies>]>([
    ["that are equal differ nowhere", { ...BEFORE }, undefined],
    [
      "differ in settings after the contents",
      { ...BEFORE, generationConfig: { temperature: 0 } },
      { field: "generationConfig.temperature", was: "1", is: "0" },
    ],
    [
      "differ in one more content",
      { ...BEFORE, contents: [...TALK, model("Yes.")] },
      { field: "contents[3]", is: JSON.stringify(model("Yes.")) },
    ],
    [
      "differ in the last content",
      { ...BEFORE, contents: [...TALK.slice(0, 2), user("And later?", "Say.")] },
      { field: "contents[2].parts[0].text", was: '"And now?"', is: '"And later?"' },
    ],
    [
      "differ in settings that are gone",
      { ...HEAD, contents: TALK },
      { field: "generationConfig", was: '"generationConfig":{"temperature":1}' },
    ],
  ])("%s", (_name, built, difference) => {
    const found = compareBodies(encode(BEFORE), encode(built));
    expect(found && { ...found, ...(found.is && { is: found.is.replace(/^,/, "") }) }).toEqual(difference);
  });
});
