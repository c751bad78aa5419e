import type { Steps } from "@pollux/core/durable";

/** A program on steps alone: executes item 1, waits in vain with item 3 in parallel, executes item 2. */
export async function sleeper(steps: Pick<Steps, "round" | "runId">, ms: number, outside: string): Promise<void> {
  const { runId: run } = steps;
  const carryOut = (item: number) => async (step: { readonly key: string }) => {
    const body = JSON.stringify({ run, item, key: step.key, code: "old" });
    const response = await fetch(`${outside}/items`, { method: "POST", body });
    return await response.text();
  };
  await steps.round([{ kind: "step", name: "before", run: carryOut(1) }]);
  await steps.round([
    { kind: "wait", name: "nap", timeoutMs: ms },
    { kind: "step", name: "beside", run: carryOut(3) },
  ]);
  await steps.round([{ kind: "step", name: "after", run: carryOut(2) }]);
}
