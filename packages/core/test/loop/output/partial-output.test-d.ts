import {
  type Agent,
  type DeepPartial,
  outputElements,
  PartialOutput,
  partialOutputs,
  type RunStream,
  type TypedEvents,
} from "@pollux/core";
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

const valueOf = <Written>(run: TypedEvents<Written>) => PartialOutput.of(run).value;

test("the value so far is what the model writes, with everything optional and texts cut off", () => {
  const run = agent.stream("x", { output: Trip });
  expectTypeOf(PartialOutput.of(run).value).toEqualTypeOf<PartialTrip | undefined>();
  expectTypeOf(valueOf(agent.stream("x", { output: "json" }))).toEqualTypeOf<unknown>();
  expectTypeOf(valueOf(agent.stream("x"))).toEqualTypeOf<undefined>();
  expectTypeOf(valueOf(agent.session().stream("x", { output: Trip }))).toEqualTypeOf<PartialTrip | undefined>();
  expectTypeOf(valueOf(agent.session().stream("x", { output: Trip }))).toEqualTypeOf<PartialTrip | undefined>();
  expectTypeOf<DeepPartial<{ a: string | null }[]>>().toEqualTypeOf<
    readonly { readonly a?: string | null | undefined }[]
  >();
});

test("values so far are those", async () => {
  for await (const value of partialOutputs(agent.stream("x", { output: Trip })))
    expectTypeOf(value).toEqualTypeOf<PartialTrip | undefined>();
});

test("elements are those of a list", async () => {
  const run = agent.stream("x", { output: Trip });
  for await (const { element, index } of outputElements(run, "days")) {
    expectTypeOf(element).toEqualTypeOf<{ title: string; km?: number | undefined }>();
    expectTypeOf(index).toEqualTypeOf<number>();
  }
  // @ts-expect-error -- no list
  void outputElements(run, "city");
  for await (const { element } of outputElements(agent.stream("x", { output: z.array(z.string()) })))
    expectTypeOf(element).toEqualTypeOf<string>();
  for await (const { element } of outputElements(agent.stream("x", { output: "json" }), "days"))
    expectTypeOf(element).toEqualTypeOf<unknown>();
});

test("a stream with an output is a stream", () => {
  expectTypeOf(agent.stream("x", { output: Trip })).toExtend<RunStream<unknown>>();
});
