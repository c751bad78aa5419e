import { expectTypeOf, test } from "vitest";
import { Agent, gemini, type ModelId } from "../../src/index.ts";

test("the ids of current models are offered, and any other is accepted", () => {
  expectTypeOf<Extract<ModelId, "gemini-4-argon">>().toEqualTypeOf<"gemini-4-argon">();
  expectTypeOf<string>().toExtend<ModelId>();
  const id: string = "my-model";
  gemini(id);
  expectTypeOf(new Agent({ model: "a-gateways-own-name" })).toExtend<Agent>();
  // @ts-expect-error -- no text
  gemini(5);
});
