import type { Content, FunctionDeclaration, JsonObject, Part } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";
import { READY_MADE } from "./everyday-tools.ts";
import { type Face, talk } from "./talk.ts";

const FACES: readonly Face[] = ["generateContent", "streamGenerateContent?alt=sse"];
const REMARK = " (This is the local emulator; no model wrote this.)";

const only = (...names: readonly string[]): FunctionDeclaration[] =>
  READY_MADE.filter(({ name }) => names.includes(name));
const asked = async (
  face: Face,
  prompt: string,
  functions: readonly FunctionDeclaration[],
  answer: (name: string, args: JsonObject) => unknown,
) => talk(createEmulator({ brain: improvise() }), face, prompt, functions, answer);

/** A prompt, the tool's result, and the answer. */
const RESULTS: readonly (readonly [tool: string, prompt: string, output: JsonObject, says: string])[] = [
  [
    "calculator",
    "100 / 7",
    { result: "14.285714285714285714285714285714", rounded: true },
    "100 / 7 is about 14.285714.",
  ],
];

describe.each(FACES)("%s", (face) => {
  test.each(RESULTS)("%s: %s", async (tool, prompt, output, says) => {
    const { text } = await asked(face, prompt, only(tool), () => output);
    expect(text).toBe(`${says}${REMARK}`);
  });

  test("returned numbers are in the answer, even if the question has them", async () => {
    const scale: FunctionDeclaration = {
      name: "scale_recipe",
      description: "Scales a recipe.",
      parametersJsonSchema: {
        type: "object",
        properties: { recipe: { type: "string" }, servings: { type: "integer" } },
        required: ["recipe", "servings"],
      },
    };
    const { text } = await asked(face, "Scale the pancakes to 6 servings", [scale], (_name, { servings }) => ({
      servings,
      flour_grams: 750,
      eggs: 6,
    }));
    expect(text).toBe(`Scale recipe: 750 flour grams, 6 eggs.${REMARK}`);
  });

  test("the thoughts name the functions that are needed", async () => {
    const functions = only("file_stats", "calculator");
    const big = await asked(face, "How big is a.md, and what is 2 + 2?", functions, () => ({ bytes: 4 }));
    expect(thoughtsOf(big.contents)).toEqual([
      "To answer this, I need file_stats and calculator.",
      "I have what file_stats and calculator returned: that is enough to answer.",
    ]);
    const joke = await asked(face, "Tell me a joke", functions, () => "");
    expect(thoughtsOf(joke.contents)).toEqual(["This calls for none of the functions."]);
  });
});

function thoughtsOf(contents: readonly Content[]): string[] {
  const said = (parts: readonly Part[]): string =>
    parts.map(({ text = "", thought }) => (thought === true ? text : "")).join("");
  return contents.filter(({ role }) => role === "model").map(({ parts }) => said(parts));
}
