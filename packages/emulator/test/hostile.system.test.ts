import { expect, test } from "vitest";
import { createEmulator, say, script } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, partsOf, post, streamed, textOf, unary } from "./support.ts";

// Inputs so large that they take seconds; smaller ones are in `hostile.test.ts` and `emulator.test.ts`.

test("more mistakes in a schema than fit the stack are refused", async () => {
  const wrong = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`p${at}`, {}]));
  const parameters = { type: "OBJECT", properties: { a: { type: "OBJECT", properties: wrong } } };
  const declared = { tools: [{ functionDeclarations: [{ name: "save", description: "Saves it.", parameters }] }] };
  expect((await post(createEmulator({ brain: improvise() }), "generateContent", ask("Hi", declared))).status).toBe(400);
});

test("a text of any length can be streamed in small pieces", async () => {
  const text = "x".repeat(300_000);
  const emulator = createEmulator({ brain: script([say(text)]), deltaCharacters: 2 });
  const chunks = await streamed(emulator, ask("Hi"));
  expect(chunks.map((chunk) => textOf(chunk)).join("")).toBe(text);
});

test.each([8, 24])("a text of %d MiB is read and answered", async (mebibytes) => {
  const long = "a\u6f22 word. ".repeat((mebibytes * 1024 * 1024) / 9);
  const response = await post(createEmulator({ brain: improvise() }), "countTokens", ask(long));
  expect(response.status).toBe(200);
  const emulator = createEmulator({ brain: script([say(long)]) });
  expect(partsOf(await unary(emulator, ask("Go on"))).length).toBeGreaterThan(0);
  await (await post(createEmulator({ brain: improvise() }), "generateContent", ask(long))).text();
});
