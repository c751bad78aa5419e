import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";

/** Counts the processes that this program starts, and how many of them live at once. */
export function countProcesses(): { readonly started: number; readonly most: number } {
  const count = { started: 0, alive: 0, most: 0 };
  const onStart = (message: unknown): void => {
    // Documented for this channel.
    const { process: child } = message as { process: ChildProcess };
    count.started++;
    count.most = Math.max(count.most, ++count.alive);
    child.once("exit", () => count.alive--);
  };
  subscribe("child_process", onStart);
  onTestFinished(() => void unsubscribe("child_process", onStart));
  return count;
}
