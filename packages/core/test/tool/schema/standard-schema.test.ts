import { Agent, cometapi, ConfigurationError, defineTool, finished, gemini } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type as ark, scope } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { typed } from "../../helpers/faces.ts";

const valibotTrip = v.object({
  city: v.pipe(
    v.string(),
    v.description("City name"),
    v.minLength(2),
    v.check((city) => city !== "?", "no city"),
  ),
  days: v.optional(v.pipe(v.number(), v.integer()), 3),
  code: v.pipe(
    v.string(),
    v.transform((text) => text.length),
  ),
});

/** The same trip by each library. */
const SCHEMAS = {
  valibot: toStandardJsonSchema(valibotTrip),
  arktype: ark({
    city: ark("string >= 2").describe("City name"),
    days: "number.integer = 3",
    code: ark("string").pipe((text) => text.length),
  }),
  zod: z.object({
    city: z.string().min(2).describe("City name"),
    days: z.number().int().default(3),
    code: z.string().transform((text) => text.length),
  }),
  "zod 3": z3.object({
    city: z3.string().min(2).describe("City name"),
    days: z3.number().int().default(3),
    code: z3.string().transform((text) => text.length),
  }),
};

const DECLARED = {
  type: "object",
  properties: {
    city: { type: "string", description: expect.stringMatching(/^City name. At least 2 characters.$/) as string },
    days: { type: "integer" },
    code: { type: "string" },
  },
  required: expect.arrayContaining(["city", "code"]) as string[],
};

/** A service that gives these answers; keeps the bodies of the requests. */
function service(...answers: readonly object[]): { readonly agent: Agent; readonly bodies: unknown[] } {
  const bodies: unknown[] = [];
  const fetch = async (_url: unknown, init?: RequestInit): Promise<Response> => {
    bodies.push(JSON.parse(await new Response(init?.body).text()));
    const answer = {
      candidates: [{ content: { role: "model", parts: [answers[bodies.length - 1]] }, finishReason: "STOP" }],
    };
    return new Response(`data: ${JSON.stringify(answer)}\n\n`, { headers: { "content-type": "text/event-stream" } });
  };
  return {
    agent: new Agent({ model: gemini("gemini-3.5-flash", { endpoint: cometapi({ apiKey: "k" }), fetch }) }),
    bodies,
  };
}

describe.each(["run", "stream"])("%s", (face) => {
  test.each(Object.entries(SCHEMAS))("a schema of %s is sent, and its output is read", async (_library, schema) => {
    const { agent, bodies } = service({ text: '{"city":"Oslo","code":"abc"}' });
    const result = await typed(face, agent, "Plan it", { output: schema });
    expect(finished(result).output).toEqual({ city: "Oslo", days: 3, code: 3 });
    expect(bodies).toEqual([
      {
        contents: [{ role: "user", parts: [{ text: "Plan it" }] }],
        generationConfig: {
          responseMimeType: "application/json",
          responseJsonSchema: expect.objectContaining({ type: "object" }) as object,
        },
      },
    ]);
    expect(bodies).toMatchObject([{ generationConfig: { responseJsonSchema: DECLARED } }]);
  });

  test.each(Object.entries(SCHEMAS))("a tool has a schema of %s", async (_library, schema) => {
    const inputs: unknown[] = [];
    const tool = defineTool({
      name: "plan",
      description: "Plans.",
      // One of several libraries: their types have no common overload.
      input: schema as typeof SCHEMAS.zod,
      run: (input) => inputs.push(input),
    });
    const model = new ScriptedModel(
      call("plan", { city: "O", code: "a" }),
      call("plan", { city: "Oslo", code: "abc" }),
      say('"Done."'),
    );
    await typed(face, new Agent({ model, tools: [tool] }), "Plan it", { output: "json" });
    expect(inputs).toEqual([{ city: "Oslo", days: 3, code: 3 }]);
    expect(model.requests[0]?.functions).toMatchObject([{ name: "plan", parametersJsonSchema: DECLARED }]);
    expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("city");
  });
});

const ArkNode = scope({ node: { name: "string", "children?": "node[]" } }).export().node;
const ValibotNode: v.GenericSchema<Node> = v.object({
  name: v.string(),
  children: v.optional(v.array(v.lazy(() => ValibotNode))),
});
const ZodNode = z.object({
  name: z.string(),
  get children() {
    return z.array(ZodNode).optional();
  },
});
interface Node {
  name: string;
  children?: Node[] | undefined;
}

describe("a recursive schema", () => {
  test.each([
    ["zod", ZodNode],
    ["valibot", toStandardJsonSchema(ValibotNode)],
    ["arktype", ArkNode],
  ])("of %s is sent with references, and its output is read", async (_library, schema) => {
    const text = '{"name":"a","children":[{"name":"b"}]}';
    const { agent, bodies } = service({ text });
    const result = await agent.run("A tree", { output: schema });
    expect(finished(result).output).toEqual(JSON.parse(text));
    const sent = JSON.stringify(bodies[0]);
    expect(sent).toMatch(/"\$ref":"#/);
    expect(sent).toContain('"name":{"type":"string"}');
  });
});

describe("errors", () => {
  const text = v.object({ a: v.string() });
  const other = { "~standard": { version: 1, vendor: "acme", validate: (value: unknown) => ({ value }) } } as const;
  const arkDate = ark({ at: "Date" });
  const bigint = z.object({ a: z.bigint() });

  test.each([
    [
      "a Valibot schema that was not wrapped",
      text,
      'the valibot schema does not know its JSON Schema, which is sent to the model: import { toStandardJsonSchema } from "@valibot/to-json-schema" and write output: toStandardJsonSchema(schema)',
    ],
    [
      "a Standard Schema without JSON Schema",
      other,
      'the acme schema does not know its JSON Schema, which is sent to the model: use a version of acme that supports Standard JSON Schema, or write output: { "~standard": schema["~standard"], jsonSchema: { … } } with its JSON Schema',
    ],
    [
      "an ArkType schema of a Date",
      arkDate,
      'the schema cannot be written as JSON Schema: JSON has no Date: use a string such as "string.date.iso.parse"',
    ],
    [
      "a Valibot schema of a Date",
      toStandardJsonSchema(v.object({ at: v.date() })),
      'the schema cannot be written as JSON Schema: The "date" schema cannot be converted to JSON Schema.',
    ],
    [
      "a zod schema of a bigint",
      bigint,
      "properties.a is a bigint, which JSON cannot represent: use z.coerce.bigint() (the model sends decimal digits) or z.int()",
    ],
    [
      "a type that does not exist",
      { type: "text" },
      'the schema has the type "text": use one of string, number, integer, boolean, array, object, null',
    ],
  ])("%s: an output's talks of the output, a tool's of the tool", async (_case, schema, problem) => {
    const model = new ScriptedModel(say("{}"));
    await expect(new Agent({ model }).run("x", { output: schema })).rejects.toEqual(
      new ConfigurationError(`output: ${problem}`),
    );
    expect(model.requests).toEqual([]);
    // The compiler refuses some of them.
    const define = (): unknown =>
      defineTool({ name: "plan", description: "Plans.", input: schema as typeof bigint, run: () => 1 });
    expect(define).toThrow(ToolDefinitionError);
    expect(define).toThrow(`tool "plan": ${problem.replace("write output:", "write input:")}`);
  });

  test("a schema with a JSON Schema beside it needs no conversion", async () => {
    const described = {
      "~standard": text["~standard"],
      jsonSchema: { type: "object", properties: { a: { type: "string" } } },
    };
    const model = new ScriptedModel(say('{"a":1}'), say('{"a":"x"}'));
    const result = await new Agent({ model }).run("x", { output: described });
    expect(finished(result).output.a).toBe("x");
    expect(model.requests[0]?.output).toEqual({ schema: { type: "object", properties: { a: { type: "string" } } } });
  });

  test("a library that only knows draft 7 is asked for that", async () => {
    const targets: string[] = [];
    const input = ({ target }: { readonly target: string }): Record<string, unknown> => {
      targets.push(target);
      if (target !== "draft-07") throw new Error("unknown target");
      return { type: "string" };
    };
    const schema = { "~standard": { ...other["~standard"], jsonSchema: { input } } };
    const model = new ScriptedModel(say('"x"'));
    await new Agent({ model }).run("x", { output: schema });
    expect(model.requests[0]?.output).toEqual({ schema: { type: "string" } });
    expect(targets).toEqual(["draft-2020-12", "draft-07"]);
  });
});
