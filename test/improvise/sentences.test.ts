import type { Content, FunctionDeclaration, JsonObject, Part } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
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
) => talk(createEmulator(), face, prompt, functions, answer);

/** A prompt, what the tool for it returns, and what the answer says. */
const RESULTS: readonly (readonly [tool: string, prompt: string, output: JsonObject, says: string])[] = [
  [
    "calculator",
    "100 / 7",
    { result: "14.285714285714285714285714285714", rounded: true },
    "100 / 7 is about 14.285714.",
  ],
  [
    "calculator",
    "Convert 70 kg to pounds",
    { result: "154.32358352941430650608166094152 lb", rounded: true },
    "70 kg to lb is about 154.32358 lb.",
  ],
  ["calculator", "Half of 5", { result: "2.5" }, "5 / 2 = 2.5."],
  [
    "time_between",
    "How old is someone born on 1990-05-17?",
    { duration: "36 years, 6 months, 5 days, 23 hours, 20 minutes, 24 seconds", calendar_days: 13_338 },
    "It is 36 years, 6 months, 5 days: 13,338 days by the calendar.",
  ],
];

const SHOP = {
  tables: [
    { table: "customers", columns: [{ name: "id" }, { name: "name" }, { name: "city" }] },
    { table: "orders", columns: [{ name: "id" }, { name: "total" }, { name: "created" }] },
  ],
};

/** Questions about the shop, and the statements that answer them. */
const STATEMENTS: readonly (readonly [prompt: string, sql: string])[] = [
  ["Who are our customers in Oslo?", "SELECT * FROM customers WHERE city = 'Oslo' LIMIT 10"],
  ["How many orders do we have?", "SELECT COUNT(*) AS count FROM orders"],
  ["What is the total of all orders?", "SELECT SUM(total) AS total FROM orders"],
  ["What is the average order value?", "SELECT AVG(total) AS average FROM orders"],
  ["What is the newest order?", "SELECT * FROM orders ORDER BY created DESC LIMIT 1"],
  ["Show the last 5 orders", "SELECT * FROM orders ORDER BY created DESC LIMIT 5"],
  ["Show the largest order", "SELECT * FROM orders ORDER BY total DESC LIMIT 1"],
];

describe.each(FACES)("%s", (face) => {
  test.each(RESULTS)("%s: %s", async (tool, prompt, output, says) => {
    const { text } = await asked(face, prompt, only(tool), () => output);
    expect(text).toBe(`${says}${REMARK}`);
  });

  test.each(STATEMENTS)("%s", async (prompt, sql) => {
    const { calls } = await asked(face, prompt, only("sql_schema", "sql_query"), (name) =>
      name === "sql_schema" ? SHOP : { columns: ["id"], rows: [[1]] },
    );
    expect(calls.map(([name, args]) => [name, args["sql"]])).toEqual([
      ["sql_schema", undefined],
      ["sql_query", sql],
    ]);
  });

  test("numbers that come back are said, also where they are the ones that were asked for", async () => {
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
    expect(text).toBe(`Recipe: flour 750 grams, 6 eggs.${REMARK}`);
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
    const hello = await asked(face, "Hello", functions, () => "");
    expect(thoughtsOf(hello.contents)).toEqual([""]);
  });
});

function thoughtsOf(contents: readonly Content[]): string[] {
  const said = (parts: readonly Part[]): string =>
    parts.map(({ text = "", thought }) => (thought === true ? text : "")).join("");
  return contents.filter(({ role }) => role === "model").map(({ parts }) => said(parts));
}
