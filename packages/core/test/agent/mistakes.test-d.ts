import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { Agent, defineTool, gemini, geminiApi, media, type Media, type RunInput } from "../../src/index.ts";

// The compiler must report each mistake at its place: an error anywhere else fails this file.
const model = "gemini-flash-latest";
const schema = z.object({ city: z.string() });
const weather = defineTool({ name: "weather", description: "Weather.", input: schema, run: ({ city }) => city });
const agent = new Agent({ model, tools: [weather] });

test("an agent's options", () => {
  void new Agent({
    model,
    // @ts-expect-error -- it is called instructions
    system: "Be brief.",
  });
  void new Agent({
    model,
    tools: [weather],
    // @ts-expect-error -- it is called limits
    maxSteps: 5,
  });
  void new Agent({
    model,
    tools: {
      // @ts-expect-error -- tools are a list
      weather,
    },
  });
  void new Agent({
    // @ts-expect-error -- a model of another library
    model: { specificationVersion: "v3", doGenerate: () => undefined },
  });
  void new Agent({
    // @ts-expect-error -- an endpoint
    model: geminiApi(),
  });
  void gemini(model, {
    // @ts-expect-error -- it belongs to the endpoint
    apiKey: "key",
  });
  void geminiApi(
    // @ts-expect-error -- it takes options
    model,
  );
});

test("a run's options and input", () => {
  void agent.run("Hi.", {
    // @ts-expect-error -- its members are options of their own
    config: { temperature: 0 },
  });
  void agent.stream("Hi.", {
    limits: {
      // @ts-expect-error -- they are called turns
      maxSteps: 5,
    },
  });
  void agent.run("Hi.", {
    output: {
      // @ts-expect-error -- the output is the schema itself
      schema,
    },
  });
  void agent.session().send("Hi.", {
    // @ts-expect-error -- it is called signal
    abortSignal: AbortSignal.timeout(1),
  });
  void agent.session().send("Hi.", {
    // @ts-expect-error -- it is called instructions
    system: "Be brief.",
  });
  void agent.run([
    {
      role: "user",
      // @ts-expect-error -- it is called parts
      content: "Hi.",
    },
  ]);
  void agent.run([
    {
      // @ts-expect-error -- a part has no type
      type: "text",
      text: "Hi.",
    },
  ]);
  void agent.run({
    // @ts-expect-error -- it is the input itself
    prompt: "Hi.",
  });
  void agent.session({
    // @ts-expect-error -- it is called history
    messages: [],
  });
});

test("an agent as a tool, and media", () => {
  void agent.asTool({
    description: "Helps.",
    // @ts-expect-error -- the input is a task
    input: schema,
  });
  void media(new Uint8Array(), {
    // @ts-expect-error -- it is called mimeType
    mime: "image/png",
  });
  void media({
    // @ts-expect-error -- a path is read by fileFromPath
    path: "./cat.png",
  });
  expectTypeOf(media(new Uint8Array())).toEqualTypeOf<Media>();
  expectTypeOf(media("aGk=")).toEqualTypeOf<Media>();
  expectTypeOf(media(new File([], "a"))).toEqualTypeOf<Promise<Media>>();
});

test("a JSON Schema in a variable is an output", () => {
  const plain = { type: "object", properties: { schema: { type: "string" } } };
  void agent.run("Hi.", { output: plain });
  const known: { readonly [key: string]: unknown } = plain;
  void agent.run("Hi.", { output: known });
});

test("contents may lack what Google's types make optional", () => {
  const input: RunInput = [{ parts: [{ text: "Hi." }] }, { role: "model" }, { role: "user", parts: [{}] }];
  void input;
});
