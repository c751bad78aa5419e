import { expect, test, vi } from "vitest";
import { ChangeWatch } from "../../../src/node/stores/change-watch.ts";
import { stopClock } from "../../helpers/stop-clock.ts";

test("a watcher that another one stops is not called anymore", async () => {
  stopClock();
  const watch = new ChangeWatch(() => "as ever");
  const told: string[] = [];
  const stopFirst = watch.watch("s", () => {
    told.push("first");
    stopSecond();
  });
  const stopSecond = watch.watch("s", () => void told.push("second"));
  watch.changed("s");
  await Promise.resolve();
  expect(told).toEqual(["first"]);
  stopFirst();
  expect(vi.getTimerCount()).toBe(0);
});

test("only changed sessions are reported, and each change once", async () => {
  stopClock();
  const signatures: { [id: string]: number } = { a: 0, b: 0 };
  let looks = 0;
  const watch = new ChangeWatch(
    (id) => (looks++, String(signatures[id])),
    () => signatures["any"] !== 0,
  );
  const told: string[] = [];
  for (const id of ["a", "b"]) watch.watch(id, () => void told.push(id));
  signatures["any"] = 0;
  const before = looks;
  await vi.advanceTimersByTimeAsync(500);
  expect([told, looks]).toEqual([[], before]);
  Object.assign(signatures, { any: 1, b: 1 });
  await vi.advanceTimersByTimeAsync(1500);
  expect(told).toEqual(["b"]);
  signatures["a"] = 1;
  watch.changed("a");
  await vi.advanceTimersByTimeAsync(1500);
  expect(told).toEqual(["b", "a"]);
});

test("a change that could not be read is reported later", async () => {
  stopClock();
  let [isBusy, changes] = [false, 1];
  const watch = new ChangeWatch(
    () => {
      if (isBusy) throw new Error("busy");
      return "after";
    },
    () => changes-- > 0,
  );
  isBusy = true;
  let told = 0;
  watch.watch("s", () => void told++);
  await vi.advanceTimersByTimeAsync(500);
  expect(told).toBe(0);
  isBusy = false;
  await vi.advanceTimersByTimeAsync(500);
  expect(told).toBe(1);
});
