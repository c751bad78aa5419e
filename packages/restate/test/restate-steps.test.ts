import type { Content } from "@pollux/core";
import type { WorkflowContext } from "@restatedev/restate-sdk";
import { describe, expect, test } from "vitest";
import { restateSteps } from "../src/restate-steps.ts";

const said = (text: string): readonly Content[] => [{ role: "user", parts: [{ text }] }];

/** The promises of a run: each is settled once, and a test can be faster than the run. */
class Promises {
  readonly settled: Map<string, unknown> = new Map();
  /** Called before the run settles one. */
  before: (() => void) | undefined;

  send(number: number, contents: readonly Content[]): void {
    this.settled.set(`steer:${number}`, contents);
  }

  steering(): NonNullable<ReturnType<typeof restateSteps>["steering"]> {
    const promise = (name: string): object => ({
      peek: () => Promise.resolve(this.settled.get(name)),
      resolve: (value: unknown) => {
        this.before?.();
        if (this.settled.has(name)) return Promise.reject(new Error("the promise was already completed"));
        this.settled.set(name, value);
        return Promise.resolve();
      },
    });
    // All that steering uses of Restate's context.
    const ctx = { key: "r", promise } as unknown as WorkflowContext;
    const { signal } = new AbortController();
    const options = { signal, children: new Set<string>(), note: () => {}, cancelled: () => {}, emit: async () => {} };
    const { steering } = restateSteps(ctx, options);
    if (steering === undefined) throw new Error("a run on Restate takes messages");
    return steering;
  }
}

describe("a run on Restate that is about to finish", () => {
  test("goes on for a message that came between its look and its end", async () => {
    const promises = new Promises();
    const steering = promises.steering();
    promises.before = () => promises.send(0, said("One moment."));
    expect(await steering.waits?.(0)).toBe(true);
    expect(await steering.take(0)).toEqual({ contents: said("One moment."), upTo: 1 });
    promises.before = undefined;
    expect(await steering.waits?.(1)).toBe(false);
  });

  test("takes the place of the next message, so that none can be stored after it", async () => {
    const promises = new Promises();
    promises.send(0, said("Early."));
    const steering = promises.steering();
    expect(await steering.waits?.(0)).toBe(true);
    expect(await steering.waits?.(1)).toBe(false);
    expect(promises.settled.get("steer:1")).toBe("over");
    expect(await steering.waits?.(1)).toBe(false);
    expect(await steering.close?.(0)).toEqual(said("Early."));
  });

  test("reads what it has not read yet when it ends for another reason", async () => {
    const promises = new Promises();
    promises.send(0, said("Read."));
    promises.send(1, said("Unread."));
    const steering = promises.steering();
    let sent = 2;
    promises.before = () => {
      if (sent < 4) promises.send(sent++, said("Late."));
    };
    expect(await steering.close?.(1)).toEqual([...said("Unread."), ...said("Late."), ...said("Late.")]);
    expect(promises.settled.get("steer:4")).toBe("over");
  });

  test("reports a failure of Restate itself", async () => {
    const promises = new Promises();
    const steering = promises.steering();
    promises.before = () => {
      throw new Error("the server is gone");
    };
    await expect(steering.waits?.(0)).rejects.toThrow("the server is gone");
  });
});
