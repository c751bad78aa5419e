import { Readable } from "node:stream";
import { runInNewContext } from "node:vm";
import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { type Logger, SILENT } from "../../src/logging/logger.ts";
import { faces } from "../helpers/faces.ts";

class Account {
  readonly #owner = "Ada";
  readonly balance = 5;
  owner(): string {
    return this.#owner;
  }
}

function* count(): Generator<number> {
  yield 1;
}

async function* later(): AsyncGenerator<number> {
  yield 1;
}

function fail(): never {
  throw new Error("not readable");
}

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  [
    "a response",
    () => Response.json({ a: 1 }),
    "is an HTTP message (Response): return await response.json() or await response.text()",
  ],
  [
    "a request",
    () => new Request("https://x.no"),
    "is an HTTP message (Request): return await response.json() or await response.text()",
  ],
  ["headers", () => new Headers({ a: "1" }), "is a list, not an array (Headers): return an array, such as [...it]"],
  ["form data", () => new FormData(), "is a list, not an array (FormData): return an array, such as [...it]"],
  ["a generator", count, "is a list, not an array (Generator): return an array, such as [...it]"],
  [
    "an iterator",
    () => new Map([["a", 1]]).keys(),
    "is a list, not an array (Map Iterator): return an array, such as [...it]",
  ],
  ["a web stream", () => new ReadableStream(), "is a stream (ReadableStream): read it fully and return the content"],
  ["a Node stream", () => Readable.from(["a"]), "is a stream (Readable): read it fully and return the content"],
  ["bytes", () => new Uint8Array(3), "has bytes (Uint8Array): use media() to show them to the model, or return a text"],
  [
    "a buffer",
    () => Buffer.from("hi"),
    "has bytes (Uint8Array): use media() to show them to the model, or return a text",
  ],
  [
    "an array buffer",
    () => new ArrayBuffer(4),
    "has bytes (ArrayBuffer): use media() to show them to the model, or return a text",
  ],
  ["a blob", () => new Blob(["a"]), "has bytes (Blob): use media() to show them to the model, or return a text"],
  [
    "a file",
    () => new File(["a"], "a.txt"),
    "has bytes (File): use media() to show them to the model, or return a text",
  ],
  [
    "an instance of a class",
    () => new Account(),
    "is an instance of a class (Account): return a plain object, such as { ...it }, or give the class a toJSON()",
  ],
  [
    "a weak map",
    () => new WeakMap(),
    "is an instance of a class (WeakMap): return a plain object, such as { ...it }, or give the class a toJSON()",
  ],
  [
    "an instance from elsewhere",
    () => runInNewContext("new (class Elsewhere {})()"),
    "is an instance of a class (Elsewhere): return a plain object, such as { ...it }, or give the class a toJSON()",
  ],
  [
    "an instance of a class without a name",
    () => runInNewContext("new (class {})()"),
    "is an instance of a class: return a plain object, such as { ...it }, or give the class a toJSON()",
  ],
  ["an iterator written by hand", () => ({ next: count }), "is a list, not an array: return an array, such as [...it]"],
  [
    "an object that has only functions",
    () => ({ name: () => "Ada", balance: () => 5 }),
    "has only functions: return their results",
  ],
];

/** These differ at the top level, where what a tool returns is awaited and drained. */
const REFUSED_INSIDE: typeof REFUSED = [
  ["a promise", () => Promise.resolve(1), "is a promise: await it"],
  [
    "an object whose members throw",
    () =>
      Object.defineProperties(
        { save: count },
        { constructor: { get: fail }, json: { get: fail }, next: { get: fail } },
      ),
    "has only functions: return their results",
  ],
  // oxlint-disable-next-line unicorn/no-thenable -- as some database clients make them
  ["a plain object that can be awaited", () => ({ sql: "select 1", then: count }), "is a promise: await it"],
  ["an async generator", later, "is an async iterator (AsyncGenerator): collect what it yields in an array"],
];

const SENT: readonly (readonly [string, () => unknown, unknown])[] = [
  ["a plain object", () => ({ a: 1, b: undefined }), { a: 1 }],
  ["an object without prototype", () => Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
  ["a plain object from elsewhere", () => runInNewContext("({ a: [1] })"), { a: [1] }],
  ["an array", () => [1, undefined], [1, null]],
  ["a date", () => new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a URL", () => new URL("https://x.no/a"), "https://x.no/a"],
  ["an instance with toJSON", () => Object.assign(new Account(), { toJSON: () => ({ ok: true }) }), { ok: true }],
  ["a map", () => new Map([["a", 1]]), { a: 1 }],
  ["a set", () => new Set([1]), [1]],
  ["an error", () => new TypeError("bad"), { name: "TypeError", message: "bad" }],
  ["a list of numbers", () => new Float32Array([0.5]), [0.5]],
];

const UNREADABLE = "read ran, but its result cannot be read: do not call it again";

/** Runs an agent whose tool returns this, and gives what the model read and what was logged. */
async function readResult(face: (typeof faces)[number][1], result: () => unknown, endsRun = false) {
  const logged: unknown[] = [];
  const logger: Logger = { ...SILENT, error: (facts, message) => void logged.push({ ...facts, message }) };
  let times = 0;
  const tool = defineTool({
    name: "read",
    description: "Reads.",
    endsRun,
    retry: { maxAttempts: 3, minDelayMs: 0 },
    run: () => (times++, result()),
  });
  const model = new ScriptedModel(calls({ name: "read", args: {} }), say("Done."));
  const done = await face(new Agent({ model, tools: [tool], logger }), "Read.");
  const answer = done.contents[2]?.parts[0]?.functionResponse?.response;
  return { answer, logged, times, done };
}

describe.each(faces)("what a tool returns, read by %s", (_name, face) => {
  const nested = (made: () => unknown) => () => ({ items: [1, { a: 1 }, { "the body": made() }] });

  test.each(REFUSED)("is refused, and its author told where: %s", async (_kind, made, problem) => {
    const { answer, logged, times } = await readResult(face, made);
    expect(answer).toEqual({ error: UNREADABLE });
    const err = expect.objectContaining({
      message: `read returned a value that has no JSON form: $ ${problem}`,
    }) as Error;
    expect(logged).toMatchObject([{ err, tool: "read", callId: "call:1.0", message: "tool failed" }]);
    expect(times).toBe(1);
  });

  test.each([...REFUSED, ...REFUSED_INSIDE])("is refused inside, too: %s", async (_kind, made, problem) => {
    const { answer, logged } = await readResult(face, nested(made));
    expect(answer).toEqual({ error: UNREADABLE });
    const message = `read returned a value that has no JSON form: $.items[2]["the body"] ${problem}`;
    expect(logged).toMatchObject([{ err: expect.objectContaining({ message }) as Error }]);
  });

  test.each(SENT)("is sent as JSON: %s", async (_kind, made, json) => {
    expect(await readResult(face, made)).toMatchObject({ answer: { output: json }, logged: [] });
    const inside = await readResult(face, nested(made));
    expect(inside).toMatchObject({ answer: { output: { items: [1, { a: 1 }, { "the body": json }] } }, logged: [] });
  });

  test("a promise and an async generator are awaited at the top", async () => {
    expect(await readResult(face, async () => 1)).toMatchObject({ answer: { output: 1 } });
    const steps = async function* (): AsyncGenerator<number, string> {
      yield 1;
      return "end";
    };
    expect(await readResult(face, steps)).toMatchObject({ answer: { output: "end" } });
  });

  test("a refused result does not end the run, and its call has failed", async () => {
    const { done } = await readResult(face, () => new Response(), true);
    expect(done).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(done.toolCalls).toMatchObject([{ status: "failed" }]);
  });
});

test("an outcome from outside is refused where it is given, and nothing is stored", async () => {
  const tool = defineTool({ name: "locate", description: "Locates." });
  const model = new ScriptedModel(calls({ name: "locate", args: {} }), say("Done."));
  const session = new Agent({ model, tools: [tool] }).session({ id: "s", store: new MemoryStore() });
  await session.send("Where?");
  const token = (await session.state()).pending[0]?.token ?? "";
  await expect(session.resume({ outcomes: { [token]: { output: { at: Promise.resolve(1) } } } })).rejects.toThrow(
    new TypeError("the answer to call:1.0 has no JSON form: $.output.at is a promise: await it"),
  );
  expect(await session.resume({ outcomes: { [token]: { output: { at: 1 } } } })).toMatchObject({ text: "Done." });
});
