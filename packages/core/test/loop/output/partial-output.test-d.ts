import type { Agent, DeepPartial, RunStream } from "@pollux/core";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

declare const agent: Agent;

const Trip = z.object({
  city: z.string().transform((text) => text.length),
  kind: z.enum(["short", "long"]),
  days: z.array(z.object({ title: z.string(), km: z.number().default(0) })).optional(),
  place: z.tuple([z.number(), z.number()]),
});

interface PartialTrip {
  readonly city?: string | undefined;
  readonly kind?: string | undefined;
  readonly days?: readonly { readonly title?: string | undefined; readonly km?: number | undefined }[] | undefined;
  readonly place?: readonly [(number | undefined)?, (number | undefined)?] | undefined;
}

test("the value so far is what the model writes, with everything optional and texts cut off", () => {
  const run = agent.stream("x", { output: Trip });
  expectTypeOf(run.partialOutput()).toEqualTypeOf<PartialTrip | undefined>();
  expectTypeOf(agent.stream("x", { output: "json" }).partialOutput()).toEqualTypeOf<unknown>();
  expectTypeOf(agent.stream("x").partialOutput()).toEqualTypeOf<undefined>();
  expectTypeOf(agent.chat().stream("x", { output: Trip }).partialOutput()).toEqualTypeOf<PartialTrip | undefined>();
  expectTypeOf(agent.session().stream("x", { output: Trip }).partialOutput()).toEqualTypeOf<PartialTrip | undefined>();
  expectTypeOf<DeepPartial<{ a: string | null }[]>>().toEqualTypeOf<
    readonly { readonly a?: string | null | undefined }[]
  >();
});

test("elements are those of a list", async () => {
  const run = agent.stream("x", { output: Trip });
  for await (const { element, index } of run.elements("days")) {
    expectTypeOf(element).toEqualTypeOf<{ title: string; km?: number | undefined }>();
    expectTypeOf(index).toEqualTypeOf<number>();
  }
  // @ts-expect-error -- no list
  run.elements("city");
  for await (const { element } of agent.stream("x", { output: z.array(z.string()) }).elements())
    expectTypeOf(element).toEqualTypeOf<string>();
  for await (const { element } of agent.stream("x", { output: "json" }).elements("days"))
    expectTypeOf(element).toEqualTypeOf<unknown>();
});

test("a stream with an output is a stream", () => {
  expectTypeOf(agent.stream("x", { output: Trip })).toExtend<RunStream<unknown>>();
});
