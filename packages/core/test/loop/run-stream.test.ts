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

test("a reader who waits is told that nothing more comes", async () => {
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
