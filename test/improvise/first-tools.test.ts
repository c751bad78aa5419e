import type { FunctionDeclaration, JsonObject } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { describe, expect, test } from "vitest";
import { type Face, talk } from "./talk.ts";

const FACES: readonly Face[] = ["generateContent", "streamGenerateContent?alt=sse"];

const text = (description?: string): object => ({ type: "string", ...(description !== undefined && { description }) });
const number = { type: "number" };
const declare = (name: string, description: string, properties: object): FunctionDeclaration => ({
  name,
  description,
  parametersJsonSchema: { type: "object", properties, required: Object.keys(properties) },
});

const STOCK = declare("get_stock", "How many pieces of an article are in stock.", {
  article: text("Name of the article"),
});
const PRICE = declare("get_price", "Price of a fruit.", { fruit: text() });
const USER = declare("get_user", "Looks up a user by name.", { name: text() });
const REVERSE = declare("reverse", "Reverses a text.", { text: text() });
const DEFINE = declare("define_word", "Looks up a word in the dictionary.", { word: text() });
const DICE = declare("roll_dice", "Rolls dice.", { sides: number, count: number });
const LIGHT = declare("set_light", "Sets the light.", { level: { type: "string", enum: ["dim", "bright"] } });
const BOOKS = declare("find_book", "Finds a book in the library.", { query: text() });
const BALANCE = declare("get_balance", "Balance of a bank account.", { account: text() });
const ORDER = declare("place_order", "Places an order.", { item: text(), quantity: number });
const ADD = declare("add", "Adds two numbers.", { a: number, b: number });

/** The only tool of an agent, a person's request, and the arguments of the calls. */
const FIRST_TOOLS: readonly (readonly [FunctionDeclaration, string, readonly JsonObject[]])[] = [
  [STOCK, "How many bolts are in stock?", [{ article: "bolts" }]],
  [STOCK, "stock of bolt and nut", [{ article: "bolt" }, { article: "nut" }]],
  [PRICE, "How much does an apple cost?", [{ fruit: "apple" }]],
  [PRICE, "What is the price of apples and pears?", [{ fruit: "apples" }, { fruit: "pears" }]],
  [USER, "look up user bob", [{ name: "bob" }]],
  [USER, "Tell me about the user Ada Lovelace", [{ name: "Ada Lovelace" }]],
  [REVERSE, "Reverse hello world", [{ text: "hello world" }]],
  [REVERSE, "reverse the word stressed", [{ text: "stressed" }]],
  [DEFINE, "Define serendipity", [{ word: "serendipity" }]],
  [DICE, "Roll two dice with 20 sides", [{ sides: 20, count: 2 }]],
  [LIGHT, "set the light to dim or bright", [{ level: "dim" }]],
  [BOOKS, "Find books by Frank Herbert", [{ query: "Frank Herbert" }]],
  [BALANCE, "What is the balance of account 1234?", [{ account: "1234" }]],
  [ORDER, "Order two notebooks", [{ item: "notebooks", quantity: 2 }]],
  [ADD, "What is 2+2?", [{ a: 2, b: 2 }]],
];

describe.each(FACES)("%s", (face) => {
  test.each(FIRST_TOOLS)("$name: %s", async (tool, prompt, args) => {
    const { calls } = await talk(createEmulator({ brain: improvise() }), face, prompt, [tool], () => "ok");
    expect(calls).toEqual(args.map((one) => [tool.name, one]));
  });
});

test.each([
  ["an object", { article: "bolts", pieces: 40 }, "Stock for bolts: 40 pieces."],
  ["a number", 40, "The stock for bolts is 40."],
])("an answer from %s says what it is about", async (_, output, says) => {
  const { text: said } = await talk(
    createEmulator({ brain: improvise() }),
    "generateContent",
    "stock of bolts",
    [STOCK],
    () => output,
  );
  expect(said).toBe(`${says} (This is the local emulator; no model wrote this.)`);
});
