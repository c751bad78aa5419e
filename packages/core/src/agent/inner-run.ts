import { groundingResponses } from "../loop/build-result.ts";
import { type RunResult, runSoFar } from "../loop/result.ts";
import type { NestedRun } from "../tool/tool.ts";

/**
 * A signal for a run inside a call: aborts with the call's, but for a reason of its own. A run hangs what it had done on
 * the reason it was aborted for, and the caller's reason has to carry the outer run, not the one inside.
 */
export function innerSignal(outer: AbortSignal): AbortSignal {
  const inner = new AbortController();
  const onAbort = (): void => inner.abort(new DOMException("the calling run was ended", "AbortError"));
  if (outer.aborted) onAbort();
  else outer.addEventListener("abort", onAbort, { once: true });
  return inner.signal;
}

/** Waits for a run inside a call and adds what it cost and found to the calling run's result, also when it failed. */
export async function attachInner(
  run: Promise<RunResult<unknown>>,
  attach: (run: NestedRun) => void,
): Promise<RunResult<unknown>> {
  try {
    const result = await run;
    const { usage, cost } = result;
    attach({ usage, ...(cost !== undefined && { cost }), responses: groundingResponses(result) });
    return result;
  } catch (error) {
    const soFar = runSoFar(error);
    if (soFar !== undefined)
      attach({ usage: soFar.usage, ...(soFar.cost !== undefined && { cost: soFar.cost }), responses: [] });
    throw error;
  }
}
