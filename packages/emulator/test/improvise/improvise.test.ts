import type { GenerateContentResponse } from "@pollux/core/wire";
import { describe, expect, test } from "vitest";
import { improvise } from "../../src/improvise.ts";
import { createEmulator } from "../../src/index.ts";
import { ask, partsOf, textOf, unary, WEATHER } from "../support.ts";

const fn = (name: string, description: string, properties: object = {}): object => ({
  name,
  description,
  parametersJsonSchema: { type: "object", properties, required: Object.keys(properties) },
});
const FILES = {
  functionDeclarations: [
    fn("list_files", "Lists the files in a folder."),
    fn("read_file", "Reads a file.", { path: { type: "string" } }),
  ],
};
const REMARK = "(This is the local emulator; no model wrote this.)";
const emulator = createEmulator({ brain: improvise() });

const callsIn = (answer: GenerateContentResponse): unknown[] =>
  partsOf(answer).flatMap(({ functionCall }) => (functionCall ? [[functionCall.name, functionCall.args]] : []));

async function answered(request: { contents: object[] }, responses: readonly object[]) {
  const first = await unary(emulator, request);
  const parts = partsOf(first);
  const back = parts.flatMap(({ functionCall }, index) =>
    functionCall
      ? [{ functionResponse: { id: functionCall.id, name: functionCall.name, response: responses[index] ?? {} } }]
      : [],
  );
  const contents = [...request.contents, { role: "model", parts }, { role: "user", parts: back }];
  return { first, next: await unary(emulator, { ...request, contents }), contents };
}

describe("functions", () => {
  test("are called once for each value the prompt offers", async () => {
    const answer = await unary(emulator, ask("What is the weather in Paris and in Rome?", { tools: [WEATHER] }));
    expect(callsIn(answer)).toEqual([
      ["get_weather", { city: "Paris" }],
      ["get_weather", { city: "Rome" }],
    ]);
  });

  test("are called in parallel where several fit", async () => {
    const tools = [
      {
        functionDeclarations: [
          ...WEATHER.functionDeclarations,
          fn("get_time", "Local time in a city.", { city: { type: "string" } }),
          fn("send_invoice", "Bills a customer."),
        ],
      },
    ];
    expect(callsIn(await unary(emulator, ask("Weather and time in Oslo, please", { tools })))).toEqual([
      ["get_weather", { city: "Oslo" }],
      ["get_time", { city: "Oslo" }],
    ]);
  });

  test("are not called where none fits", async () => {
    const answer = await unary(emulator, ask("Tell me a joke", { tools: [WEATHER] }));
    expect(callsIn(answer)).toEqual([]);
    expect(textOf(answer)).toBe(
      `Without a model, I have no answer to “Tell me a joke”. What I can do is call get_weather. ${REMARK}`,
    );
  });

  test("are answered from, with the values of the responses", async () => {
    const { next } = await answered(ask("What is the weather in Oslo?", { tools: [WEATHER] }), [
      { output: { celsius: -3, sky: "snow" } },
    ]);
    expect(textOf(next)).toBe(`Weather in Oslo: -3 °C, snow. ${REMARK}`);
  });

  test.each([
    ["Google's SDK", { output: { celsius: -3, sky: "snow" } }],
    ["the AI SDK and Genkit", { name: "get_weather", content: { celsius: -3, sky: "snow" } }],
    ["the OpenAI Agents SDK", { name: "get_weather", content: `{"celsius":-3,"sky":"snow"}` }],
    ["LangChain", { result: `{"celsius":-3,"sky":"snow"}` }],
  ])("are answered the same from a response as %s wraps it", async (_library, response) => {
    const { next } = await answered(ask("What is the weather in Oslo?", { tools: [WEATHER] }), [response]);
    expect(textOf(next)).toBe(`Weather in Oslo: -3 °C, snow. ${REMARK}`);
  });

  test("that failed are named as failed", async () => {
    const { next } = await answered(ask("What is the weather in Oslo?", { tools: [WEATHER] }), [
      { error: "no such city" },
    ]);
    expect(textOf(next)).toBe(`I could not get the weather in Oslo: no such city. ${REMARK}`);
  });

  test("whose name has a verb of two words, such as look_up_order, are named by both", async () => {
    const parameters = { type: "OBJECT", properties: { number: { type: "INTEGER" } }, required: ["number"] };
    const lookUp = { name: "look_up_order", description: "Looks up an order", parameters };
    const question = ask("Look up order 17.", { tools: [{ functionDeclarations: [lookUp] }] });
    const failed = await answered(question, [{ error: "the table is gone" }]);
    expect(textOf(failed.next)).toBe(`I could not look up the order: the table is gone. ${REMARK}`);
    const found = await answered(question, [{ output: {} }]);
    expect(textOf(found.next)).toBe(`Nothing came back for the order. ${REMARK}`);
  });

  test("are never called in mode NONE, and always an allowed one in mode ANY", async () => {
    const mode = (functionCallingConfig: object): object => ({ tools: [FILES], toolConfig: { functionCallingConfig } });
    expect(callsIn(await unary(emulator, ask("List the files", mode({ mode: "NONE" }))))).toEqual([]);
    const any = mode({ mode: "ANY", allowedFunctionNames: ["read_file"] });
    expect(callsIn(await unary(emulator, ask("List the files", any)))).toEqual([["read_file", { path: "notes.txt" }]]);
    const { next } = await answered(ask("List the files", any), [{ output: 1 }]);
    expect(callsIn(next)).toHaveLength(1);
  });
});

test("a program can turn the remark off", async () => {
  const quiet = createEmulator({ brain: improvise({ remark: false }) });
  expect(textOf(await unary(quiet, ask("Hello")))).toBe("Hello! What can I do for you?");
});

test("mode VALIDATED calls only allowed functions, and answers where none of them fits", async () => {
  const validated = (...allowedFunctionNames: string[]) => ({
    tools: [FILES],
    toolConfig: { functionCallingConfig: { mode: "VALIDATED", allowedFunctionNames } },
  });
  const reads = await unary(emulator, ask("List the files, then read notes.txt", validated("read_file")));
  expect(callsIn(reads)).toEqual([["read_file", { path: "notes.txt" }]]);
  expect(callsIn(await unary(emulator, ask("Good morning", validated("read_file"))))).toEqual([]);
});

test("a URL context is counted as tool use, which some answers leave out", async () => {
  const counts = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      unary(
        createEmulator({ brain: improvise(), seed: `${index}` }),
        ask("See https://example.com/a", { tools: [{ urlContext: {} }] }),
      ),
    ),
  );
  const found = counts.map(({ usageMetadata }) => usageMetadata?.toolUsePromptTokenCount);
  expect(new Set(found)).toEqual(new Set([120, undefined]));
});

test("users who give their name are called by it", async () => {
  const contents = [
    ...ask("My name is Ada.").contents,
    { role: "model", parts: [{ text: "Hello." }] },
    ...ask("What is my name?").contents,
  ];
  expect(textOf(await unary(emulator, { contents }))).toBe(`Your name is Ada. ${REMARK}`);
});

describe("other tools and outputs", () => {
  test("JSON answers satisfy the schema and use the conversation", async () => {
    const responseJsonSchema = {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "array", items: { type: "string" }, minItems: 3 } },
      required: ["city", "days"],
    };
    const answer = await unary(
      emulator,
      ask("Plan three days in Lima", {
        generationConfig: { responseMimeType: "application/json", responseJsonSchema },
      }),
    );
    expect(JSON.parse(textOf(answer))).toMatchObject({
      city: "Lima",
      days: [expect.any(String), expect.any(String), expect.any(String)],
    });
  });

  test("search gives grounding over text", async () => {
    const answer = await unary(emulator, ask("Who won in Oslo?", { tools: [{ googleSearch: {} }] }));
    const { webSearchQueries, groundingChunks, groundingSupports } = answer.candidates?.[0]?.groundingMetadata ?? {};
    expect(webSearchQueries).toEqual(["Who won in Oslo", "Oslo latest"]);
    expect([groundingChunks?.length, groundingSupports?.length]).toEqual([3, 3]);
    for (const { segment } of groundingSupports ?? []) {
      expect(
        Buffer.from(textOf(answer))
          .subarray(segment?.startIndex ?? 0, segment?.endIndex)
          .toString(),
      ).toBe(segment?.text);
    }
  });

  test("a question that a function answers is not searched for, and neither is small talk", async () => {
    const both = { tools: [{ googleSearch: {} }, WEATHER], toolConfig: { includeServerSideToolInvocations: true } };
    const served = await unary(emulator, ask("What is the weather in Oslo?", both));
    expect(callsIn(served)).toEqual([["get_weather", { city: "Oslo" }]]);
    expect(partsOf(served).some((part) => part.toolCall !== undefined)).toBe(false);
    const greeted = await unary(emulator, ask("Say hello", both));
    expect([textOf(greeted), greeted.candidates?.[0]?.groundingMetadata]).toEqual([
      `Hello! What can I do for you? ${REMARK}`,
      undefined,
    ]);
  });

  test("search beside functions: tool parts first, grounding with the answer", async () => {
    const request = ask("What is the weather in Oslo, and what is in the news?", {
      tools: [{ googleSearch: {} }, WEATHER],
      toolConfig: { includeServerSideToolInvocations: true },
    });
    const { first, next } = await answered(request, [{}, {}, { output: { celsius: 4 } }]);
    expect(partsOf(first).map((part) => Object.keys(part)[0])).toEqual(["toolCall", "toolResponse", "functionCall"]);
    expect(partsOf(next).map((part) => Object.keys(part)[0])).toEqual(["text"]);
    const { groundingChunks, groundingSupports = [] } = next.candidates?.[0]?.groundingMetadata ?? {};
    expect(groundingChunks?.length).toBe(3);
    expect(groundingSupports.some(({ segment }) => segment?.text?.includes("get_weather"))).toBe(false);
    expect(groundingSupports.length).toBeGreaterThan(1);
  });

  test("maps, URL context and code", async () => {
    const maps = await unary(emulator, ask("Cafés in Lima?", { tools: [{ googleMaps: {} }] }));
    expect(maps.candidates?.[0]?.groundingMetadata?.groundingChunks?.[0]?.maps).toMatchObject({
      title: expect.any(String),
      placeId: expect.stringMatching(/^places\//),
    });
    const url = await unary(emulator, ask("Summarize https://example.com/a", { tools: [{ urlContext: {} }] }));
    expect(url.candidates?.[0]?.urlContextMetadata).toEqual({
      urlMetadata: [{ retrievedUrl: "https://example.com/a", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" }],
    });
    expect(url.usageMetadata?.toolUsePromptTokenCount).toBe(120);
    const code = await unary(emulator, ask("What is (17 + 3) * 23?", { tools: [{ codeExecution: {} }] }));
    expect(partsOf(code)).toMatchObject([
      { executableCode: { language: "PYTHON", code: "print(6 * 7)\n" } },
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "42\n" } },
      { text: `The code prints 42. It is a sample: the emulator runs no code. ${REMARK}` },
    ]);
  });

  test("image models draw a real PNG; pictures in the prompt are acknowledged", async () => {
    const drawn = await unary(emulator, ask("Draw a cat"), "gemini-3.1-flash-image");
    const image = partsOf(drawn).find((part) => part.inlineData !== undefined);
    const bytes = Buffer.from(image?.inlineData?.data ?? "", "base64");
    expect([image?.inlineData?.mimeType, bytes.subarray(1, 4).toString(), bytes.subarray(-8, -4).toString()]).toEqual([
      "image/png",
      "PNG",
      "IEND",
    ]);
    const seen = await unary(emulator, {
      contents: [
        {
          role: "user",
          parts: [{ text: "What is this?" }, { inlineData: { mimeType: "image/png", data: bytes.toString("base64") } }],
        },
      ],
    });
    expect(textOf(seen)).toContain(`I was given image/png of ${bytes.length} bytes.`);
  });
});
