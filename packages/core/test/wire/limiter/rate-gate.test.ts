import fc from "fast-check";
import { expect, test } from "vitest";
import { FairQueue } from "../../../src/wire/limiter/rate-gate.ts";

function drain<T>(queue: FairQueue<T>): T[] {
  const all: T[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) all.push(next);
  return all;
}

test("groups take turns, and each keeps its order", () => {
  const queue = new FairQueue<string>();
  for (const entry of ["a1", "a2", "a3", "a4", "b1", "c1", "c2"]) queue.push(entry[0], entry);
  expect(drain(queue)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3", "a4"]);
  expect(queue.size).toBe(0);
});

test("a group that returns queues behind the waiting ones", () => {
  const queue = new FairQueue<string>();
  queue.push("a", "a1");
  queue.push("b", "b1");
  expect(queue.shift()).toBe("a1");
  queue.push("a", "a2");
  expect(drain(queue)).toEqual(["b1", "a2"]);
});

test("groups are distinguished by identity", () => {
  const queue = new FairQueue<number>();
  const [one, other] = [{}, {}];
  for (const [key, value] of [
    [one, 1],
    [one, 2],
    [other, 3],
    [undefined, 4],
    [undefined, 5],
  ] as const)
    queue.push(key, value);
  expect(drain(queue)).toEqual([1, 3, 4, 2, 5]);
});

test("a removed value is gone, once, from the right queue only", () => {
  const queue = new FairQueue<string>();
  const other = new FairQueue<string>();
  queue.push("a", "a1");
  queue.push("a", "a2");
  queue.push("b", "b1");
  other.remove("a", "a1");
  queue.remove("b", "b1");
  queue.remove("b", "b1");
  expect([queue.size, other.size]).toEqual([2, 0]);
  queue.remove("a", "a1");
  expect(queue.size).toBe(1);
  expect(queue.shift()).toBe("a2");
  queue.remove("a", "a1");
  expect(queue.size).toBe(0);
});

test("does what a plain list of groups would do, whatever the order of coming and leaving", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("push" as const), group: fc.nat(4) }),
    fc.record({ do: fc.constant("shift" as const) }),
    fc.record({ do: fc.constant("remove" as const), which: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new FairQueue<number>();
      const groups: number[] = [];
      const model: { group: number; values: number[] }[] = [];
      const prune = (): void => {
        for (let at = model.length - 1; at >= 0; at--) if (model[at]?.values.length === 0) model.splice(at, 1);
      };
      for (const action of steps) {
        if (action.do === "push") {
          const value = groups.push(action.group);
          queue.push(action.group, value);
          const known = model.find(({ group }) => group === action.group);
          if (known) known.values.push(value);
          else model.push({ group: action.group, values: [value] });
        } else if (action.do === "shift") {
          const first = model.shift();
          expect(queue.shift()).toBe(first?.values.shift());
          if (first && first.values.length > 0) model.push(first);
        } else {
          const group = groups[action.which];
          if (group === undefined) continue;
          queue.remove(group, action.which + 1);
          for (const one of model) one.values = one.values.filter((value) => value !== action.which + 1);
          prune();
        }
        expect(queue.size).toBe(model.reduce((sum, { values }) => sum + values.length, 0));
      }
      const rest: number[] = [];
      while (model.length > 0) {
        const first = model.shift();
        rest.push(...(first?.values.splice(0, 1) ?? []));
        if (first && first.values.length > 0) model.push(first);
      }
      expect(drain(queue)).toEqual(rest);
    }),
  );
});
