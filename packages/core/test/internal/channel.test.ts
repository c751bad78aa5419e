import { expect, test } from "vitest";
import { Channel, during } from "../../src/internal/channel.ts";

test("values sent while work runs are yielded before its result", async () => {
  const channel = new Channel<number>();
  const work = (async () => {
    for (let n = 0; n < 5; n++) {
      await channel.send(n);
      await Promise.resolve();
    }
    return "done";
  })();
  const seen: number[] = [];
  const reading = during(work, channel);
  for (;;) {
    const next = await reading.next();
    if (next.done === true) {
      expect(next.value).toBe("done");
      break;
    }
    seen.push(next.value);
  }
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test("a failure of the work is thrown after what it had sent", async () => {
  const channel = new Channel<string>();
  const work = (async () => {
    await channel.send("before");
    throw new Error("broken");
  })();
  const reading = during(work, channel);
  expect(await reading.next()).toEqual({ done: false, value: "before" });
  await expect(reading.next()).rejects.toThrow("broken");
});

test("a writer waits when 64 values are waiting, and goes on when they are taken", async () => {
  const channel = new Channel<number>();
  let sent = 0;
  const writing = (async () => {
    for (; sent < 200; sent++) await channel.send(sent);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBe(63);
  expect(channel.take()).toHaveLength(64);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBe(127);
  channel.close();
  await writing;
  expect(sent).toBe(200);
});

test("a closed channel drops what is sent and holds nobody up", async () => {
  const channel = new Channel<number>();
  channel.close();
  await channel.send(1);
  expect(channel.take()).toEqual([]);
});

test("a reader that is slow while writers wait for room is not left asleep", async () => {
  const channel = new Channel<number>();
  const work = Promise.all(Array.from({ length: 200 }, (_, n) => channel.send(n).then(() => channel.send(1_000 + n))));
  const seen: number[] = [];
  for await (const value of during(work, channel)) {
    seen.push(value);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(seen).toHaveLength(400);
  expect(new Set(seen).size).toBe(400);
});
