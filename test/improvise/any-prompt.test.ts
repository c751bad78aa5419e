import type { FunctionDeclaration } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../packages/core/test/helpers/any-text.ts";
import { violations } from "../../packages/emulator/test/improvise/json-schema.ts";
import { EVERYDAY } from "./everyday-prompts.ts";
import { outputOf, READY_MADE, WRITTEN } from "./everyday-tools.ts";
import { talk } from "./talk.ts";

const ALL = [...READY_MADE, ...WRITTEN];
const emulator = createEmulator({ brain: improvise() });

const fragments = fc.constantFrom(
  ...EVERYDAY.flatMap(([prompt]) => prompt.split(" ")),
  ..."( ) \" ' ` ; : \n - 1. 漢字 🌧️ \ud83d é \\ {} [] % $ € a.b/c @ ..".split(" "),
);
const prompts = fc.oneof(
  fc.array(fragments, { maxLength: 40 }).map((words) => words.join(" ")),
  anyText({ maxLength: 200 }),
);

test("any prompt gets an answer, the same one each time, and every call satisfies its function's schema", async () => {
  await fc.assert(
    fc.asyncProperty(prompts, async (prompt) => {
      const first = await talk(emulator, "generateContent", prompt, ALL, outputOf);
      const wrong = first.calls.flatMap(([name, args]) => {
        const declaration = ALL.find((one) => one.name === name);
        return violations(args, declaration?.parametersJsonSchema ?? {});
      });
      expect(wrong).toEqual([]);
      expect(first.text).not.toBe("");
      const again = await talk(emulator, "generateContent", prompt, ALL, outputOf);
      expect([again.calls, again.text]).toEqual([first.calls, first.text]);
    }),
    { numRuns: 150 },
  );
});

/** The fastest of several answers to a prompt, in milliseconds of this thread's CPU, so other load doesn't count. */
async function timeOf(prompt: string, functions: readonly FunctionDeclaration[]): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const start = process.threadCpuUsage();
    await talk(createEmulator({ brain: improvise() }), "generateContent", prompt, functions, outputOf);
    const { user, system } = process.threadCpuUsage(start);
    times.push((user + system) / 1000);
  }
  // CPU time advances in steps of a few milliseconds, so it may be 0.
  return Math.max(5, Math.min(...times));
}

// Ten times the size may take twenty times as long; quadratic work would take a hundred times.
const ALLOWED = 20;

describe("the time to answer grows no faster than", () => {
  test.each([
    ["a single word", "a"],
    ["words", "lorem ipsum dolor sit amet. "],
    ["requests", "read a.txt and list the files. "],
    ["open brackets", "( ( "],
    ["addresses", "a@b.c "],
    ["numbers", "1 , 2 and "],
    ["quotes", '"a '],
    ["lines", "\n1. x"],
  ])("a prompt of %s", async (_, piece) => {
    const sized = (size: number): string => piece.repeat(size / piece.length);
    const small = await timeOf(sized(10_000), ALL);
    expect(await timeOf(sized(100_000), ALL)).toBeLessThan(ALLOWED * small);
  });

  test("the declared functions", async () => {
    const prompt = "What is the weather in Oslo, and how big is README.md?";
    const many = Array.from({ length: 200 }, (_, index) => ({
      ...(ALL[index % ALL.length] ?? { description: "" }),
      name: `${ALL[index % ALL.length]?.name}_${index}`,
    }));
    const small = await timeOf(prompt, many.slice(0, 20));
    expect(await timeOf(prompt, many)).toBeLessThan(ALLOWED * small);
  });
});
