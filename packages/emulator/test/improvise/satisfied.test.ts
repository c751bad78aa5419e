import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createEmulator, type StrictSwitches } from "../../src/index.ts";
import { improvise } from "../../src/improvise.ts";
import { ask, partsOf, textOf, unary } from "../support.ts";
import { type JsonSchema, violations } from "./json-schema.ts";
import { jsonSchemas, olderSchemas } from "./random-schema.ts";

const PROMPTS = ['Fly from Oslo to "New York" on 2026-12-24 with 7 people, 2.5 kg', "no", "漢字 🌧️ and nothing more"];
const prompts = fc.constantFrom(...PROMPTS);

// Random schemas may be larger than the service takes.
const strict: StrictSwitches = { maxSchemaStates: 1e9, maxForcedEnumMembers: 1e9 };

async function answerTo(prompt: string, schema: JsonSchema, key: string): Promise<unknown[]> {
  const generationConfig = { responseMimeType: "application/json", [key]: schema };
  return [
    JSON.parse(textOf(await unary(createEmulator({ brain: improvise(), strict }), ask(prompt, { generationConfig })))),
  ];
}

async function argsFor(prompt: string, schema: JsonSchema, key: string): Promise<unknown[]> {
  const body = ask(prompt, {
    tools: [{ functionDeclarations: [{ name: "f", [key]: schema }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
  });
  const made = partsOf(await unary(createEmulator({ brain: improvise(), strict }), body)).map(
    (part) => part.functionCall,
  );
  expect(new Set(made.map((call) => call?.name))).toEqual(new Set(["f"]));
  return made.map((call) => call?.args);
}

describe("for any schema", () => {
  test.each([
    ["an answer", "responseJsonSchema", answerTo, jsonSchemas],
    ["a call's arguments", "parametersJsonSchema", argsFor, jsonSchemas],
    ["an answer by an older schema", "responseSchema", answerTo, olderSchemas],
    ["a call's arguments by an older schema", "parameters", argsFor, olderSchemas],
  ] as const)("%s satisfy it", async (_, key, made, schemas) => {
    await fc.assert(
      fc.asyncProperty(schemas, prompts, async (schema, prompt) => {
        const values = await made(prompt, schema, key);
        expect(values.flatMap((value) => violations(value, schema))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("zod agrees", async () => {
    await fc.assert(
      fc.asyncProperty(jsonSchemas, prompts, async (schema, prompt) => {
        const read = z.fromJSONSchema(schema);
        const [value] = await answerTo(prompt, schema, "responseJsonSchema");
        expect(read.safeParse(value)).toMatchObject({ success: true });
      }),
      { numRuns: 60 },
    );
  });
});

test.each<[JsonSchema, unknown, string[]]>([
  [{ type: "object", properties: { a: { type: "integer", minimum: 3 } } }, { a: 2 }, ["$.a: minimum 3 of 2"]],
  [{ type: "array", minItems: 1, uniqueItems: true }, ["x", "x"], ['$: uniqueItems true of ["x","x"]']],
  [{ $defs: { a: { enum: ["x"] } }, $ref: "#/$defs/a" }, "y", ['$: enum ["x"] of "y"']],
  [{ type: "STRING", nullable: true }, null, []],
])("the checker of these tests finds what is wrong: %j", (schema, value, found) => {
  expect(violations(value, schema)).toEqual(found);
});
