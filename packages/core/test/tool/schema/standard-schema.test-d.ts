import { type Agent, defineTool, finished, type OutputOf, type WrittenOf } from "@pollux/core";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";

declare const agent: Agent;

const words = { name: "plan", description: "Plans." } as const;
const valibotTrip = v.object({
  city: v.string(),
  days: v.optional(v.number(), 3),
  at: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
});
const arkTrip = type({ city: "string", days: "number = 3", at: "string.date.iso.parse" });

interface Trip {
  city: string;
  days: number;
  at: Date;
}
interface WrittenTrip {
  city: string;
  days?: number | undefined;
  at: string;
}

describe("a tool's input", () => {
  test("of Valibot is what the schema gives out, and its call is what the model writes", () => {
    const tool = defineTool({
      ...words,
      input: toStandardJsonSchema(valibotTrip),
      run: (input, { signal }) => {
        expectTypeOf(input).toEqualTypeOf<Trip>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return input.days;
      },
    });
    expectTypeOf(tool.name).toEqualTypeOf<"plan">();
  });

  test("of ArkType too", () => {
    defineTool({
      ...words,
      input: arkTrip,
      run: (input) => expectTypeOf(input).toEqualTypeOf<Trip>(),
    });
  });

  test("of Valibot has to be wrapped", () => {
    // @ts-expect-error -- it does not know its JSON Schema
    defineTool({ ...words, input: valibotTrip, run: () => 1 });
  });
});

test("an output is what the schema gives out", async () => {
  expectTypeOf(
    finished(await agent.run("x", { output: toStandardJsonSchema(valibotTrip) })).output,
  ).toEqualTypeOf<Trip>();
  expectTypeOf(finished(await agent.run("x", { output: arkTrip })).output).toEqualTypeOf<Trip>();
  expectTypeOf<OutputOf<{ type: "object" }>>().toEqualTypeOf<unknown>();
});

test("what the model writes is the schema's input", () => {
  const zod = z.object({ at: z.string().transform((text) => new Date(text)), days: z.number().default(3) });
  const zod3 = z3.object({ at: z3.string().transform((text) => new Date(text)), days: z3.number().default(3) });
  expectTypeOf<WrittenOf<typeof zod>>().toEqualTypeOf<{ at: string; days?: number | undefined }>();
  expectTypeOf<WrittenOf<typeof zod3>>().toEqualTypeOf<{ at: string; days?: number | undefined }>();
  expectTypeOf<WrittenOf<typeof valibotTrip>>().toEqualTypeOf<WrittenTrip>();
  expectTypeOf<WrittenOf<typeof arkTrip>["at"]>().toEqualTypeOf<string>();
  expectTypeOf<WrittenOf<"json">>().toEqualTypeOf<unknown>();
});
