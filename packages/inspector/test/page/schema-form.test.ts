import type { Json } from "@pollux/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changesIn, codeOf, formOf } from "../../page/src/play/changes-code.ts";
import { memberOf, shownFor, withMember } from "../../page/src/play/schema-form.ts";

const JSON_FIELD = { kind: "json" };

describe("the form for a schema", () => {
  test.each<[string, Json, unknown]>([
    ["a text", { type: "string" }, { kind: "text" }],
    ["a type in capitals", { type: "STRING" }, { kind: "text" }],
    ["an integer", { type: "integer", minimum: 1 }, { kind: "number" }],
    ["a number or null", { type: ["number", "null"] }, { kind: "number" }],
    ["a boolean", { type: "boolean" }, { kind: "boolean" }],
    ["an enum", { type: "string", enum: ["a", "b"] }, { kind: "choice", options: ["a", "b"] }],
    ["an enum of several types", { enum: [1, "b", null] }, { kind: "choice", options: [1, "b", null] }],
    ["an enum of objects", { enum: [{ a: 1 }] }, JSON_FIELD],
    ["an empty enum", { type: "string", enum: [] }, { kind: "text" }],
    ["a constant", { const: "x" }, { kind: "choice", options: ["x"] }],
    ["a list", { type: "array", items: { type: "string" } }, { kind: "list", items: { type: "string" } }],
    ["a list of anything", { type: "array" }, JSON_FIELD],
    ["a tuple", { type: "array", items: [{ type: "string" }] }, JSON_FIELD],
    ["something or null", { anyOf: [{ type: "string" }, { type: "null" }] }, { kind: "text" }],
    ["one of several", { anyOf: [{ type: "string" }, { type: "number" }] }, JSON_FIELD],
    ["all of several", { allOf: [{ type: "string" }] }, JSON_FIELD],
    ["several types", { type: ["string", "number"] }, JSON_FIELD],
    ["a map", { type: "object", additionalProperties: true }, JSON_FIELD],
    ["nothing", {}, JSON_FIELD],
    ["true", true, JSON_FIELD],
    ["null", null, JSON_FIELD],
    ["a text", "string", JSON_FIELD],
    ["an object without members", { type: "object", properties: {} }, { kind: "object", members: [] }],
    [
      "an object",
      { type: "object", properties: { a: { type: "string", description: "First" }, b: true }, required: ["a"] },
      {
        kind: "object",
        members: [
          { name: "a", schema: { type: "string", description: "First" }, isRequired: true, description: "First" },
          { name: "b", schema: true, isRequired: false },
        ],
      },
    ],
    ["a reference", { $ref: "#/$defs/a~1b", $defs: { "a/b": { type: "number" } } }, { kind: "number" }],
    ["a reference to nothing", { $ref: "#/$defs/x" }, JSON_FIELD],
    ["a reference to what is inherited", { $ref: "#/constructor" }, JSON_FIELD],
    ["a reference elsewhere", { $ref: "https://example.com/schema" }, JSON_FIELD],
    ["a reference to itself", { $ref: "#" }, JSON_FIELD],
  ])("%s: %j", (_, schema, shown) => {
    expect(shownFor(schema, schema)).toEqual(shown);
  });

  test("ends for a recursive schema", () => {
    const schema = { type: "object", properties: { next: { $ref: "#" } } };
    expect(shownFor(schema, schema, 6)).toMatchObject({ kind: "object" });
    expect(shownFor(schema, schema, 7)).toEqual(JSON_FIELD);
  });

  test("does not show a thousand members", () => {
    const properties = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, {}]));
    expect(shownFor({ type: "object", properties }, {})).toEqual(JSON_FIELD);
  });

  test("never fails, for any schema", () => {
    fc.assert(fc.property(fc.jsonValue(), (schema) => void shownFor(schema as Json, schema as Json)));
  });
});

test("members can have any name", () => {
  const names = fc.oneof(fc.constantFrom("__proto__", "constructor", "toString", "", "<img onerror=x>"), fc.string());
  fc.assert(
    fc.property(names, names, (name, other) => {
      const object = withMember(withMember(undefined, other, 1), name, "value");
      expect(memberOf(object, name)).toBe("value");
      expect(memberOf(JSON.parse(JSON.stringify(object)) as Json, name)).toBe("value");
      expect(memberOf(withMember(object, name, undefined), name)).toBeUndefined();
    }),
  );
  expect(memberOf({}, "constructor")).toBeUndefined();
});

describe("changes as code", () => {
  const tool = (name: string) => ({ name, description: "", schema: {}, warnings: [] });
  const agent = {
    name: "helper",
    model: "gemini-flash-latest",
    instructions: "Help.",
    made: [],
    settings: { topP: 0.5 },
    limits: {},
    tools: [tool("add"), tool("pay")],
  };

  test("are empty without changes", () => {
    expect(changesIn(formOf(agent), agent)).toEqual({});
    expect(codeOf({}, agent)).toBe("");
  });

  test("have the changes and the remaining settings", () => {
    const form = {
      ...formOf(agent),
      model: "gemini-3.8-flash",
      instructions: 'Say "hi".',
      tools: ["add"],
      temperature: "0",
      thinking: "low",
      settings: '{"x-y": 1}',
    };
    const changes = changesIn(form, agent);
    expect(changes).toEqual({
      model: "gemini-3.8-flash",
      instructions: 'Say "hi".',
      tools: ["add"],
      settings: { temperature: 0, thinking: "low", "x-y": 1 },
    });
    expect(codeOf(changes, agent)).toBe(`new Agent({
  // …
  model: "gemini-3.8-flash",
  instructions: "Say \\"hi\\".",
  settings: { topP: 0.5, temperature: 0, thinking: "low", "x-y": 1 },
  tools: tools.filter(({ name }) => ["add"].includes(name)),
})`);
  });

  test("are unknown for settings that are not an object", () => {
    expect(() => changesIn({ ...formOf(agent), settings: "[1]" }, agent)).toThrow("must be a JSON object");
    expect(() => changesIn({ ...formOf(agent), settings: "{" }, agent)).toThrow("More settings is not valid JSON");
  });
});
