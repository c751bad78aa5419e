import { expect, test } from "vitest";
import { createEmulator, improvise } from "../../src/index.ts";
import { ask, streamed, textOf, unary } from "../support.ts";

const FENCED = /^```json\n([^]*)\n```$/;
const system = (text: string) => ({ systemInstruction: { parts: [{ text }] } });
const PERSON = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
};

const LETTER = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };

async function said(prompt: string, more: object = {}): Promise<string> {
  return textOf(await unary(createEmulator(), ask(prompt, more)));
}

const text = expect.any(String) as unknown;
const number = expect.any(Number) as unknown;

test.each<[prompt: string, expected: unknown, more?: object]>([
  ["Name a city. Answer as JSON with keys a and b", { a: text, b: text }],
  [
    "Name a city. Please answer as JSON with the fields `city`, `size` (number) and `tags` (array).",
    { city: text, size: number, tags: expect.any(Array) },
  ],
  ['Classify: "so good". Output a JSON object with "mood" and "score".', { mood: text, score: text }],
  [
    `Ann is 34. Respond with a JSON object matching this schema: ${JSON.stringify(PERSON, undefined, 2)}`,
    { name: text, age: 34 },
  ],
  [
    'Tell me of Ann, aged 34, in JSON like {"person": {"name": "string", "age": 0}, "pets": ["dog"]}',
    { person: { name: text, age: number }, pets: expect.any(Array) },
  ],
  ["Make up a person, as JSON: {name: string, age: number}", { name: text, age: number }],
  ["Return a JSON array of three colors.", expect.arrayContaining([text])],
  [
    "Return a JSON array of objects with fields name and age (integer).",
    expect.arrayContaining([{ name: text, age: number }]),
  ],
  ["List two cities as JSON.", { answer: text }],
  ["Return the name from this text as JSON with the key name: I am Ann.", { name: text }],
  ["Do not explain, just return JSON with the key a.", { a: text }],
  ["Review this code and return JSON with the key issues.", { issues: text }],
  ["Your response must be valid JSON with the key a.", { a: text }],
  [
    "What is the capital of France?",
    { answer: text, sure: expect.any(Boolean) },
    system("You are terse. You always reply in JSON with the keys answer and sure (boolean)."),
  ],
])("JSON asked for in words: %s", async (prompt, expected, more) => {
  const [, json = ""] = FENCED.exec(await said(prompt, more)) ?? [];
  expect(JSON.parse(json)).toEqual(expected);
});

test.each<[prompt: string, more?: object]>([
  ["Respond only with JSON with the key a."],
  ["Answer as JSON with the key a, without code fences."],
  [`Name a city. Use this schema:\n\`\`\`json\n${JSON.stringify(LETTER)}\n\`\`\`\nRespond with JSON only.`],
  ["Return JSON with the key a and nothing else."],
  ["Hi", system("Reply with a JSON object with the key a. No markdown.")],
])("in no code block where the request wants none: %s", async (prompt, more) => {
  expect(JSON.parse(await said(prompt, more))).toEqual({ a: text });
});

test.each<[prompt: string, more?: object]>([
  ["What is JSON?"],
  ["How do I store dates in JSON?"],
  ["Write a function that returns JSON."],
  ['Convert this JSON to YAML: {"a": 1}'],
  ["Return the file data.json."],
  ["Please don't answer in JSON."],
  ["Answer without JSON."],
  ["Write a JSON tutorial."],
  ["List three databases that store JSON."],
  ["Give me an essay on the history of JSON."],
  ["Is JSON only for JavaScript?"],
  ["Should I send data in JSON or XML?"],
  ["My API answers in JSON, which page has the list?"],
  ['What is the name in the JSON {"name": "Ann"}?'],
  ["Reply in English rather than JSON."],
  ["return JSON.parse(text) throws, why?"],
  ["Review this:\n```js\n// Return JSON only\n```"],
  ["What is the capital of France?", system("If a program asks, answer in JSON.")],
  ["What is the capital of France?", system("Tool results are given as JSON.")],
  ["What is the capital of France?", system("You are a bot. The tools return JSON.")],
])("JSON that is only spoken of: %s", async (prompt, more) => {
  expect(await said(prompt, more)).not.toMatch(/^[`{[]/);
});

test("JSON asked for in words has the values that functions returned", async () => {
  const emulator = createEmulator({ brain: improvise() });
  const tools = [
    {
      functionDeclarations: [
        { name: "get_weather", parameters: { type: "OBJECT", properties: { city: { type: "STRING" } } } },
      ],
    },
  ];
  const first = ask("How is the weather in Oslo? Answer as JSON with keys city and temperature.", { tools });
  const called = (await unary(emulator, first)).candidates?.[0]?.content;
  const call = called?.parts?.find(({ functionCall }) => functionCall)?.functionCall;
  expect(call).toMatchObject({ name: "get_weather", args: { city: "Oslo" } });
  const response = {
    functionResponse: { id: call?.id, name: "get_weather", response: { city: "Oslo", temperature: 7 } },
  };
  const contents = [...first.contents, called, { role: "user", parts: [response] }];
  const chunks = await streamed(emulator, { ...first, contents });
  expect(JSON.parse(FENCED.exec(textOf(...chunks))?.[1] ?? "")).toEqual({ city: "Oslo", temperature: 7 });
});

test("a long prompt about JSON is read in no time", async () => {
  const prompts = [
    "return JSON, ".repeat(50_000),
    `Answer as JSON with keys ${"a, ".repeat(50_000)}`,
    `as JSON ${"{[".repeat(100_000)}`,
  ];
  for (const prompt of prompts) expect((await said(prompt)).length).toBeLessThan(200_000);
});
