import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { processorTime } from "../../core/test/helpers/processor-time.ts";
import { createEmulator, say, script } from "../src/index.ts";
import { improvise } from "../src/improvise.ts";
import { ask, MODEL, partsOf, post, textOf, unary } from "./support.ts";

const tool = (parameters: object) => ({
  tools: [{ functionDeclarations: [{ name: "save", description: "Saves it.", parametersJsonSchema: parameters }] }],
  toolConfig: { functionCallingConfig: { mode: "ANY" } },
});
const list = (items: object): object => ({ type: "object", properties: { list: items }, required: ["list"] });
const doubling = Object.fromEntries(
  Array.from({ length: 60 }, (_, level) => [
    `d${level}`,
    { allOf: [{ $ref: `#/$defs/d${level + 1}` }, { $ref: `#/$defs/d${level + 1}` }] },
  ]),
);

test.each([
  ["a billion items", list({ type: "array", items: { type: "string" }, minItems: 1e9 })],
  ["a billion different items", list({ type: "array", items: { type: "boolean" }, minItems: 1e9, uniqueItems: true })],
  ["lists of lists", list({ type: "array", minItems: 1e6, items: { type: "array", minItems: 1e6, items: {} } })],
  ["a billion characters", list({ type: "string", minLength: 1e9 })],
  ["a pattern of a billion characters", list({ type: "string", pattern: "^(?:(?:a{100000}){100000}){1000}$" })],
  ["a pattern that takes exponential time", list({ type: "string", pattern: "^(?:\\w+\\s?)+(?:\\w+\\s?)+#$" })],
  ["a billion properties", list({ type: "object", additionalProperties: { type: "string" }, minProperties: 1e9 })],
  ["references that double", { ...list({ $ref: "#/$defs/d0" }), $defs: { ...doubling, d60: { type: "string" } } }],
  [
    "an object that contains itself twice",
    {
      ...list({ $ref: "#/$defs/t" }),
      $defs: {
        t: { type: "object", properties: { a: { $ref: "#/$defs/t" }, b: { $ref: "#/$defs/t" } }, required: ["a", "b"] },
      },
    },
  ],
])("a schema with %s gets a bounded answer", async (_name, schema) => {
  const emulator = createEmulator({ brain: improvise(), strict: { maxSchemaStates: Number.POSITIVE_INFINITY } });
  const prompt = `Save ${"words and ".repeat(10)}more, please`;
  const response = await post(emulator, "generateContent", ask(prompt, tool(schema)));
  expect((await response.text()).length).toBeLessThan(5_000_000);
  // The emulator still answers.
  expect(textOf(await unary(emulator, ask("Hi")))).not.toBe("");
});

test("a schema of more lists and choices than fit the stack is answered", async () => {
  const many = Array.from({ length: 200_000 }, () => ({ type: "string" }));
  const schema = { type: "object", properties: { a: { type: "array", prefixItems: many }, b: { anyOf: many } } };
  expect(
    (await post(createEmulator({ brain: improvise() }), "generateContent", ask("Hi", tool(schema)))).status,
  ).toBeLessThan(500);
});

test("many mistakes in a schema are refused", async () => {
  const wrong = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`p${at}`, {}]));
  const parameters = { type: "OBJECT", properties: { a: { type: "OBJECT", properties: wrong } } };
  const declared = { tools: [{ functionDeclarations: [{ name: "save", description: "Saves it.", parameters }] }] };
  expect((await post(createEmulator({ brain: improvise() }), "generateContent", ask("Hi", declared))).status).toBe(400);
});

test("a schema of many required properties is measured in proportion to their number", async () => {
  const body = (count: number): object => {
    const required = Array.from({ length: count }, (_, at) => `p${at}`);
    return ask(
      "Hi",
      tool({ type: "object", properties: Object.fromEntries(required.map((name) => [name, {}])), required }),
    );
  };
  const cost = (count: number): Promise<number> =>
    processorTime(async () => {
      expect((await post(createEmulator({ brain: improvise() }), "generateContent", body(count))).status).toBeLessThan(
        500,
      );
    });
  await cost(5_000);
  const small = Math.max(20, await cost(5_000));
  // Ten times as much, or a hundred where each is looked for among all.
  expect(await cost(50_000)).toBeLessThan(40 * small);
});

describe("a body over the limit", () => {
  const MESSAGE = "Request payload size exceeds the limit: 1000000 bytes.";
  const strict = { maxBodyBytes: 1_000_000 };

  test("is refused as by the service, and not kept while it is read", async () => {
    const emulator = createEmulator({ brain: improvise(), strict });
    let made = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        made += 100_000;
        controller.enqueue(new Uint8Array(100_000));
      },
    });
    const init = { method: "POST", headers: { "x-goog-api-key": "k" }, body, duplex: "half" };
    const response = await emulator.fetch(`/v1beta/models/${MODEL}:generateContent`, init);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(MESSAGE);
    // An endless body is abandoned after four times the limit.
    expect(made).toBeLessThan(5_000_000);
    expect(emulator.requests[0]).toMatchObject({ body: undefined, answered: { status: 400, rule: "E-78" } });
  });

  test.each([
    ["developer", 400],
    ["vertex", 413],
  ] as const)("is refused by a server with profile %s, which goes on", async (profile, status) => {
    const emulator = createEmulator({ strict, profile, brain: script([say("Hi.")]) });
    await using server = await emulator.listen();
    const path = profile === "vertex" ? "/v1/projects/p/locations/global/publishers/google" : "/v1beta";
    const send = (body: string): Promise<Response> =>
      fetch(`${server.url}${path}/models/${MODEL}:generateContent`, {
        method: "POST",
        headers: { "x-goog-api-key": "k", authorization: "Bearer ya29.k" },
        body,
      });
    const refused = await send("x".repeat(3_000_000));
    expect(refused.status).toBe(status);
    expect(await refused.text()).toContain(MESSAGE);
    expect((await send(JSON.stringify(ask("Hi")))).status).toBe(200);
  });

  test("that never ends is answered, and its connection closed", async () => {
    const emulator = createEmulator({ brain: improvise(), strict });
    await using server = await emulator.listen();
    const socket = connect(server.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => (answer += String(bytes)));
    socket.on("error", () => {});
    socket.write(`POST /v1beta/models/${MODEL}:generateContent HTTP/1.1\r\nhost: x\r\nx-goog-api-key: k\r\n`);
    socket.write("transfer-encoding: chunked\r\n\r\n");
    const block = `186a0\r\n${"x".repeat(100_000)}\r\n`;
    const more = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on("drain", more);
    more();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(emulator.requests[0]?.answered).toMatchObject({ status: 400, rule: "E-78" });
    expect(answer === "" || answer.includes(MESSAGE)).toBe(true);
  });
});

test.each([4])("a text of %d MiB is read and answered", async (mebibytes) => {
  const long = "a\u6f22 word. ".repeat((mebibytes * 1024 * 1024) / 9);
  const response = await post(createEmulator({ brain: improvise() }), "countTokens", ask(long));
  expect(response.status).toBe(200);
  const emulator = createEmulator({ brain: script([say(long)]) });
  expect(partsOf(await unary(emulator, ask("Go on"))).length).toBeGreaterThan(0);
  await (await post(createEmulator({ brain: improvise() }), "generateContent", ask(long))).text();
});
