import type { Content, FunctionDeclaration, JsonObject } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";
import { EVERYDAY } from "./everyday-prompts.ts";
import { outputOf, READY_MADE, WRITTEN } from "./everyday-tools.ts";
import { type Face, talk } from "./talk.ts";

const ALL = [...READY_MADE, ...WRITTEN];
const REMARK = "(This is the local emulator; no model wrote this.)";
const FACES: readonly Face[] = ["generateContent", "streamGenerateContent?alt=sse"];

const weather = (_: string, { city }: JsonObject): unknown => ({ city, celsius: -3, sky: "snow" });
const only = (...names: readonly string[]): FunctionDeclaration[] => ALL.filter(({ name }) => names.includes(name));

describe.each(FACES)("%s", (face) => {
  test.each(EVERYDAY)("%s", async (prompt, calls, says) => {
    const answer = await talk(createEmulator({ brain: improvise() }), face, prompt, ALL, outputOf);
    expect(answer.calls).toEqual(calls);
    expect(answer.text).toBe(`${says}${says.includes("\n") ? "\n\n" : " "}${REMARK}`);
  });

  test("several prompts are one conversation: the remark comes once", async () => {
    const emulator = createEmulator({ brain: improvise() });
    let before: readonly Content[] = [];
    const said: unknown[] = [];
    for (const prompt of ["What is the weather in Oslo?", "What about the weather in Lima and Paris?"]) {
      const { calls, text, contents } = await talk(emulator, face, prompt, ALL, weather, before);
      before = contents;
      said.push([calls.map(([name, { city }]) => `${name} ${JSON.stringify(city)}`), text]);
    }
    expect(said).toEqual([
      [['get_weather "Oslo"'], `Weather in Oslo: -3 °C, snow. ${REMARK}`],
      [['get_weather "Lima"', 'get_weather "Paris"'], "Weather in Lima: -3 °C, snow. Weather in Paris: -3 °C, snow."],
    ]);
  });

  test("a dedicated function is preferred to a general one", async () => {
    const { calls, text } = await talk(
      createEmulator({ brain: improvise() }),
      face,
      "Add 2 and 3",
      only("add", "get_weather"),
      outputOf,
    );
    expect([calls, text]).toEqual([[["add", { a: 2, b: 3 }]], `The result is 5. ${REMARK}`]);
  });

  test("what depends on an effect waits for it", async () => {
    const { calls, contents } = await talk(
      createEmulator({ brain: improvise() }),
      face,
      'Create hello.txt with the content "Hi", then read hello.txt',
      ALL,
      outputOf,
    );
    expect(calls.map(([name]) => name)).toEqual(["write_file", "read_file"]);
    expect(contents.filter(({ role }) => role === "model")).toHaveLength(3);
  });
});
