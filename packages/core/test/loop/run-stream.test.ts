import { Agent, defineTool } from "@pollux/core";
import { RunAbandonedError } from "@pollux/core/errors";
import { call, fails, hangs, join, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { EventQueue } from "../../src/loop/run-stream.ts";

/** Lets everything that is ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads until nothing more comes. */
async function readAll<T>(queue: EventQueue<T>, onValue: (value: T) => void | Promise<void> = () => {}): Promise<T[]> {
  const read: T[] = [];
  for (let values = await queue.next(); values !== undefined; values = await queue.next()) {
    for (const value of values) {
      read.push(value);
      await onValue(value);
    }
  }
  return read;
}

test("values come out in the order they were written, from several writers", async () => {
  const queue = new EventQueue<string>();
  const write = async (name: string): Promise<void> => {
    for (let n = 0; n < 3; n++) {
      await queue.write(`${name}${n}`);
      await Promise.resolve();
    }
  };
  const reading = readAll(queue);
  await Promise.all([write("a"), write("b")]);
  queue.end();
  expect(await reading).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
});

test("what waits when the writing ends is still read", async () => {
  const queue = new EventQueue<number>();
  void queue.write(1);
  queue.end();
  expect(await readAll(queue)).toEqual([1]);
});

test("a waiting reader learns that nothing more comes", async () => {
  const queue = new EventQueue<number>();
  const reading = readAll(queue);
  await turn();
  queue.end();
  expect(await reading).toEqual([]);
});

describe("a writer", () => {
  test("waits when 64 values are waiting, and goes on when they are taken", async () => {
    const queue = new EventQueue<number>();
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written++) await queue.write(written);
    })();
    await turn();
    expect(written).toBe(63);
    expect(queue.next()).toHaveLength(64);
    await turn();
    expect(written).toBe(127);
    queue.close();
    await writing;
    expect(written).toBe(200);
  });

  test("has nothing to wait for while there is room", () => {
    expect(new EventQueue<number>().write(1)).toBeUndefined();
  });

  test("in step waits until the reader has read its value and asks for more", async () => {
    const queue = new EventQueue<number>();
    let wentOn = false;
    const writing = Promise.resolve(queue.writeInStep(1)).then(() => (wentOn = true));
    expect(queue.next()).toEqual([1]);
    await turn();
    expect(wentOn).toBe(false);
    void queue.next();
    await writing;
    expect(wentOn).toBe(true);
  });

  test("in step waits for a reader who was there before it", async () => {
    const queue = new EventQueue<number>();
    const first = queue.next();
    let wentOn = false;
    const writing = Promise.resolve(queue.writeInStep(1)).then(() => (wentOn = true));
    void queue.write(2);
    expect(await first).toEqual([1]);
    await turn();
    expect(wentOn).toBe(false);
    expect(queue.next()).toEqual([2]);
    await writing;
    expect(wentOn).toBe(true);
  });
});

test("a slow reader gets every value of many writers that wait for room", async () => {
  const queue = new EventQueue<number>();
  const writing = Promise.all(Array.from({ length: 500 }, async (_, n) => await queue.write(n)));
  const reading = readAll(queue, turn);
  await writing;
  queue.end();
  expect(await reading).toHaveLength(500);
});

test("a closed queue drops what is written and holds nobody up", async () => {
  const queue = new EventQueue<number>();
  const waiting = Promise.all([queue.writeInStep(0), ...Array.from({ length: 64 }, (_, n) => queue.write(n))]);
  queue.close();
  await waiting;
  expect(queue.write(1)).toBeUndefined();
  expect(queue.writeInStep(1)).toBeUndefined();
  expect(queue.next()).toBeUndefined();
});

describe("the text of a stream", () => {
  test("comes as it is written, over all turns, and the result is available afterward", async () => {
    const look = defineTool({ name: "look", description: "Looks.", run: () => "rain" });
    const model = new ScriptedModel(join(say("Let me ", "look. "), call("look")), say("It ", "rains."));
    const stream = new Agent({ model, tools: [look] }).stream("Weather?");
    const texts: string[] = [];
    for await (const text of stream.textStream) texts.push(text);
    expect(texts).toEqual(["Let me ", "look. ", "It ", "rains."]);
    expect((await stream.result()).text).toBe("It rains.");
    expect(() => stream.textStream).toThrow("a RunStream can be read once");
  });

  test("ends the run when its reader leaves, and throws what the run throws", async () => {
    const left = new Agent({ model: new ScriptedModel(hangs("Once")) }).stream("Tell me.");
    for await (const text of left.textStream) if (text === "Once") break;
    await expect(left.result()).rejects.toThrow(RunAbandonedError);
    const failing = new Agent({ model: new ScriptedModel(fails(new Error("down"))) }).stream("Tell me.");
    await expect(failing.textStream.next()).rejects.toThrow("down");
  });

  test("is that of a session, too", async () => {
    const texts: string[] = [];
    const session = new Agent({ model: new ScriptedModel(say("Hello.")) }).session();
    for await (const text of session.stream("Hi.").textStream) texts.push(text);
    expect([texts, (await session.history()).length]).toEqual([["Hello."], 2]);
  });
});
