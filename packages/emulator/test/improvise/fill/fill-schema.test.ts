import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fillSchema } from "../../../src/improvise/fill/fill-schema.ts";
import { materialOf } from "../../../src/improvise/read/material.ts";
import { createRandom } from "../../../src/internal/random.ts";

const PROMPT =
  'Read src/app.ts and "hello world", mail ada@lovelace.dev about Oslo and Lima on 2026-12-24; 7 people, see https://pollux.dev/x.';

interface Node {
  readonly value: string;
  readonly children: readonly Node[];
}
const node: z.ZodType<Node> = z.lazy(() => z.object({ value: z.string(), children: z.array(node) }));

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  text: z.object({ a: z.string(), b: z.string().min(30), c: z.string().max(2), d: z.string().length(5) }),
  formats: z.object({ a: z.email(), b: z.url(), c: z.uuid(), d: z.iso.date(), e: z.iso.datetime(), f: z.ipv4() }),
  patterns: z.object({
    a: z.string().regex(/^[A-Z]{3}-\d{4}$/),
    b: z.string().regex(/^(?:red|green)_\w+$/),
    c: z.string().regex(/^\+?[0-9]{1,3}(?: [0-9]{2}){4}$/),
  }),
  numbers: z.object({
    a: z.int().min(3).max(5),
    b: z.number().gt(0).lt(1),
    c: z.int().multipleOf(5),
    d: z.number().negative(),
    e: z.int().max(-20),
    f: z.number(),
  }),
  enums: z.object({ a: z.enum(["red", "Lima"]), b: z.literal("only"), c: z.literal(4), d: z.enum(["x"]).nullable() }),
  lists: z.object({
    a: z.array(z.string()).min(3).max(4),
    b: z.array(z.int()).max(1),
    c: z.tuple([z.string(), z.int()]),
    d: z.array(z.string()).length(0),
    e: z.array(z.object({ x: z.boolean() })),
  }),
  choices: z.object({
    a: z.union([z.object({ kind: z.literal("a"), n: z.int() }), z.object({ kind: z.literal("b") })]),
    b: z.discriminatedUnion("t", [z.object({ t: z.literal(1) }), z.object({ t: z.literal(2) })]),
    c: z.string().nullable(),
  }),
  merged: z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() })),
  records: z.object({
    a: z.record(z.string(), z.int()),
    b: z.object({}),
    c: z.strictObject({ x: z.string().optional() }),
  }),
  recursive: z.object({ root: node }),
};

describe.each(["all", "named"] as const)("with optional properties: %s", (optional) => {
  test.each(Object.entries(SCHEMAS))("%s satisfy their schema", (_, schema) => {
    for (const seed of ["a", "b", "c", "d", "e"]) {
      const value = fillSchema(z.toJSONSchema(schema), {
        material: materialOf(PROMPT),
        random: createRandom(seed),
        optional,
      });
      expect(schema.safeParse(value)).toMatchObject({ success: true });
    }
  });
});

test("numbers and lists stay within any bounds", () => {
  const bounds = fc.tuple(fc.integer({ min: -100, max: 100 }), fc.nat(50));
  fc.assert(
    fc.property(bounds, bounds, fc.string(), ([min, span], [, size], prompt) => {
      const schema = z.object({
        n: z
          .int()
          .min(min)
          .max(min + span),
        f: z
          .number()
          .min(min)
          .max(min + span),
        l: z
          .array(z.string())
          .min(size % 7)
          .max((size % 7) + 2),
        s: z
          .string()
          .min(size)
          .max(size + 3),
      });
      const value = fillSchema(z.toJSONSchema(schema), {
        material: materialOf(prompt),
        random: createRandom(prompt),
        optional: "all",
      });
      expect(schema.safeParse(value)).toMatchObject({ success: true });
    }),
  );
});

test("words come from the conversation", () => {
  const schema = z.object({
    city: z.string(),
    path: z.string(),
    to_email: z.string(),
    url: z.string(),
    date: z.string(),
    people: z.int(),
    title: z.string(),
    color: z.enum(["red", "blue"]),
  });
  const value = fillSchema(z.toJSONSchema(schema), {
    material: materialOf(`${PROMPT} blue`),
    random: createRandom("a"),
    optional: "all",
  });
  expect(value).toEqual({
    city: "Oslo",
    path: "src/app.ts",
    to_email: "ada@lovelace.dev",
    url: "https://pollux.dev/x",
    date: "2026-12-24",
    people: 7,
    title: "hello world",
    color: "blue",
  });
});

test("the older schema subset in upper case is understood", () => {
  const schema = {
    type: "OBJECT",
    properties: { city: { type: "STRING" }, n: { type: "INTEGER", nullable: true } },
    required: ["city", "n"],
  };
  expect(fillSchema(schema, { material: materialOf(PROMPT), random: createRandom("a"), optional: "named" })).toEqual({
    city: "Oslo",
    n: 7,
  });
});
