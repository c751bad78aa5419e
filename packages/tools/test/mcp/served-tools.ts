import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { defineTool, media, type Tool, ToolError } from "@pollux/core";
import { z } from "zod/v4";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The file that a client creates when it has received a step of `count`. */
export function seenFile(log: string, step: unknown): string {
  return `${log}.${String(step)}`;
}

/** Tools that exercise what a server must pass on. @param log - File that records the events. */
export function servedTools(log: string): Tool[] {
  return [
    defineTool({
      name: "add",
      description: "Adds two numbers.",
      effects: "none",
      input: z.object({ a: z.number(), b: z.number() }),
      run: ({ a, b }) => ({ sum: a + b }),
    }),
    defineTool({ name: "greet", description: "Greets.", run: () => "hello" }),
    defineTool({ name: "list", description: "Lists.", run: () => [1, 2] }),
    defineTool({
      name: "draw",
      description: "Draws.",
      run: () => ({ title: "a dot", image: media(PNG, "image/png"), sound: media("AAAA", "audio/wav") }),
    }),
    defineTool({
      name: "fail",
      description: "Fails.",
      run: () => {
        throw new ToolError("there is no paper left");
      },
    }),
    defineTool({
      name: "count",
      description: "Counts to three, at the client's pace.",
      async *run(_input, { signal }) {
        for (const step of ["one", "two", "three"]) {
          yield step;
          // The official client drops progress that it reads together with the result.
          while (!existsSync(seenFile(log, step))) await delay(1, undefined, { signal });
        }
        return "counted";
      },
    }),
    defineTool({
      name: "wait",
      description: "Waits until it is stopped.",
      run: async (_input, { signal }) => {
        appendFileSync(log, "waiting\n");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        appendFileSync(log, "stopped\n");
        return "stopped";
      },
    }),
    defineTool({
      name: "pay",
      description: "Pays.",
      effects: "once",
      input: z.object({ amount: z.number() }),
      needsApproval: ({ amount }) => amount > 10,
      run: ({ amount }) => `paid ${amount}`,
    }),
  ];
}
