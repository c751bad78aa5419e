import { onTestFinished } from "vitest";

/** Resolves once a condition holds. Unlike `expect.poll`, it leaves a stopped clock alone. */
export async function until(condition: () => boolean): Promise<void> {
  let isOver = false;
  onTestFinished(() => void (isOver = true));
  while (!condition()) {
    if (isOver) throw new Error("the test ended before the condition held");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
