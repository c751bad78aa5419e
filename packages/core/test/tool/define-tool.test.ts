import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { ToolDefinitionError, ModelRetry } from "../../src/errors/run-errors.ts";
import { checkToolName, defineTool, sanitizeToolNames } from "../../src/tool/define-tool.ts";
import { explainSchema } from "../../src/tool/schema/declare.ts";
import { zod3 } from "../../src/tool/schema/zod3.ts";
import { anyText } from "../helpers/any-text.ts";

const base = { name: "t", description: "Does it.", run: () => 1 };

describe("defineTool", () => {
  test("gives what is sent and the defaults", () => {
    const tool = defineTool({ ...base, input: z.object({ a: z.string() }) });
    expect(tool).toMatchObject({
      kind: "function",
      name: "t",
      description: "Does it.",
      declaration: {
        name: "t",
        description: "Does it.",
        parametersJsonSchema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      },
      sequential: false,
      timeoutMs: 60_000,
      maxResultBytes: 65_536,
      maxModelRetries: 3,
    });
  });
  test("takes its options", () => {
    expect(
      defineTool({ ...base, sequential: true, timeoutMs: 5, maxResultBytes: 6, maxModelRetries: 0 }),
    ).toMatchObject({
      sequential: true,
      timeoutMs: 5,
      maxResultBytes: 6,
      maxModelRetries: 0,
    });
  });
  test("without input declares an empty object", () => {
    expect(defineTool(base).declaration.parametersJsonSchema).toEqual({
      type: "object",
      properties: {},
      additionalProperties: false,
    });
  });
  test.each([
    ["a bad name", { ...base, name: "9" }],
    ["no description", { ...base, description: " " }],
    ["no time", { ...base, timeoutMs: 0 }],
    ["NaN", { ...base, timeoutMs: Number.NaN }],
    ["a negative size", { ...base, maxResultBytes: -1 }],
    ["negative retries", { ...base, maxModelRetries: -1 }],
  ])("refuses %s", (_name, spec) => {
    expect(() => defineTool(spec)).toThrow(ToolDefinitionError);
  });
});

describe("parse", () => {
  const shape = { a: "x", n: 1 };
  test.each([
    ["zod 4", defineTool({ ...base, input: z.object({ a: z.string(), n: z.number() }) })],
    ["zod 3", defineTool({ ...base, input: z3.object({ a: z3.string(), n: z3.number() }) })],
    ["zod3()", defineTool({ ...base, input: zod3(z3.object({ a: z3.string(), n: z3.number() })) })],
    ["raw", defineTool({ ...base, input: { type: "object", properties: { a: {}, n: {} }, required: ["a", "n"] } })],
  ])("%s takes what fits and names what does not", async (_name, tool) => {
    expect(await tool.parse(shape)).toEqual(shape);
    await expect(tool.parse({ a: "x" })).rejects.toThrow(ModelRetry);
    await expect(tool.parse({ a: "x" })).rejects.toThrow(/n: /);
    for (const args of [null, [], "x", 5]) await expect(tool.parse(args)).rejects.toThrow(ModelRetry);
  });
  test("a schema's defaults and transforms are applied", async () => {
    const tool = defineTool({
      ...base,
      input: z.object({ at: z.coerce.date(), n: z.string().transform(Number).default(3) }),
    });
    expect(await tool.parse({ at: "1970-01-01T00:00:00Z" })).toEqual({ at: new Date(0), n: 3 });
  });
  test("many problems become one short message", async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `a_rather_long_key_${index}`);
    const tool = defineTool({
      ...base,
      input: z.object(Object.fromEntries(keys.map((key) => [key, z.string({ error: "wrong ".repeat(30) })]))),
    });
    const error = await Promise.resolve(tool.parse({})).then(undefined, (thrown: unknown) => thrown);
    expect((error as Error).message.length).toBeLessThanOrEqual(500);
  });
});

test("explainSchema prints what is sent and what was changed", () => {
  expect(
    explainSchema(
      defineTool({ ...base, input: { type: "object", properties: { mail: { type: "string", format: "email" } } } }),
    ),
  ).toBe(`t: Does it.

Sent as parametersJsonSchema:
{
  "type": "object",
  "properties": {
    "mail": {
      "type": "string",
      "description": "Format: email."
    }
  }
}

Changes to the schema:
- properties.mail.format: "email" moved into the description: the service only supports date-time, enum, float, double, int32, int64`);
  expect(explainSchema(defineTool(base))).toContain("The schema was not changed.");
});

describe("an option that does not exist", () => {
  test.each<[options: object, message: string]>([
    [{ inputSchema: {} }, 'tool "t": there is no option "inputSchema": use input'],
    [{ parameters: {} }, 'tool "t": there is no option "parameters": use input'],
    [{ execute: () => 1 }, 'tool "t": there is no option "execute": use run'],
    [{ handler: () => 1 }, 'tool "t": there is no option "handler": use run'],
    [{ maxRetries: 1 }, 'tool "t": there is no option "maxRetries": use maxModelRetries, or retry: { maxAttempts: … }'],
    [{ returnDirect: true }, 'tool "t": there is no option "returnDirect": use endsRun'],
    [{ requireConfirmation: true }, 'tool "t": there is no option "requireConfirmation": use needsApproval'],
    [{ timeout: 5 }, 'tool "t": there is no option "timeout"; did you mean "timeoutMs"?'],
    [{ color: "red" }, 'tool "t": there is no option "color"'],
    [{ name: undefined, execute: () => 1 }, 'a tool needs a name, such as "get_weather"'],
  ])("%o names ours", (options, message) => {
    const define = (): unknown => defineTool({ ...base, ...options });
    expect(define).toThrow(ToolDefinitionError);
    expect(define).toThrow(message);
  });

  test.each<[options: object, message: string]>([
    [{ retry: { attempts: 3 } }, 'tool "t": retry: there is no option "attempts"'],
    [{ retry: true }, 'tool "t": retry: it must be an object'],
    [{ effects: "read" }, 'tool "t": effects must be "none" or "idempotent" or "once", got "read"'],
    [{ unknownOutcome: "retry" }, 'tool "t": unknownOutcome must be "ask" or "tell-model", got "retry"'],
    [{ needsApproval: "always" }, 'tool "t": needsApproval must be true or false or a function, got "always"'],
    [{ run: 1 }, 'tool "t": run must be a function, got number'],
    [
      { input: { city: z.string() } },
      'tool "t": the schema is an object of schemas: wrap it, as in z.object({ city: z.string() })',
    ],
  ])("and a value that is none, %o, say what is wrong", (options, message) => {
    const define = (): unknown => defineTool({ ...base, ...options });
    expect(define).toThrow(ToolDefinitionError);
    expect(define).toThrow(message);
  });

  test("defineTool() without an object says what it takes", () => {
    const defineAny = defineTool as (given?: unknown) => unknown; // as JavaScript calls it
    for (const given of [undefined, "t"])
      expect(() => defineAny(given)).toThrow("defineTool() takes one object: { name, description, input, run }");
  });

  test("is taken as absent when it is undefined, and is no mistake in an instance of a class", () => {
    class Clock {
      readonly name = "clock";
      readonly description = "The time.";
      readonly offset = 1;
      run(): number {
        return this.offset;
      }
    }
    const options = { ...base, execute: undefined };
    expect(() => defineTool(options)).not.toThrow();
    expect(() => defineTool(new Clock())).not.toThrow();
  });
});

describe("names", () => {
  test.each(["a", "_", "get_weather", "a.b:c-d", "A9", "x".repeat(64)])("%s is taken", (name) => {
    expect(() => checkToolName(name)).not.toThrow();
  });
  test.each(["", "9a", "-a", "a b", "a/b", "å", "x".repeat(65), "a\n", "."])("%j is refused (E-31)", (name) => {
    expect(() => checkToolName(name)).toThrow(ToolDefinitionError);
  });
});

describe("names known only at run time", () => {
  test("legal ones stay, others are replaced and come with a way back", () => {
    const { sanitized, original } = sanitizeToolNames(["read_file", "fs/read file", "9lives", "", "a".repeat(100)]);
    expect(sanitized.get("read_file")).toBe("read_file");
    expect(sanitized.get("fs/read file")).toMatch(/^fs_read_file_[0-9a-f]{8}$/);
    expect(sanitized.get("9lives")).toMatch(/^_9lives_[0-9a-f]{8}$/);
    expect(sanitized.get("a".repeat(100))).toHaveLength(63);
    for (const [name, legal] of sanitized) expect(original.get(legal)).toBe(name);
  });
  test("every name has its own legal name, whatever the names and their order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(anyText({ maxLength: 90 }), fc.stringMatching(/^[a-c/ ]{0,4}$/))),
        (names) => {
          const { sanitized, original } = sanitizeToolNames(names);
          expect(sanitized.size).toBe(names.length);
          expect(original.size).toBe(names.length);
          for (const legal of original.keys()) expect(legal).toMatch(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/);
          expect(sanitizeToolNames(names.toReversed()).sanitized.size).toBe(names.length);
        },
      ),
    );
  });
});
