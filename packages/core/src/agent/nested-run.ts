import { whenAborted } from "../internal/abort.ts";
import { groundingResponses } from "../loop/build-result.ts";
import { type RunResult, runSoFar } from "../loop/result.ts";
import type { NestedRun } from "../tool/tool.ts";

/**
 * A signal for a run inside a call. It aborts with the call's signal, but with its own reason: an abort reason carries what its
 * run had done, and the calling run's reason has to carry the calling run.
 */
export function nestedSignal(outer: AbortSignal): AbortSignal {
  const inner = new AbortController();
  whenAborted(outer, () => inner.abort(new DOMException("the parent run was aborted", "AbortError")));
  return inner.signal;
}

/** Waits for a run inside a call and adds its cost and sources to the calling run's result, even if it failed. */
export async function attachNested(
  run: Promise<RunResult<unknown>>,
  attach: (run: NestedRun) => void,
): Promise<RunResult<unknown>> {
  try {
    const result = await run;
    const { usage, cost, unpriced } = result;
    attach({ usage, cost, unpriced, responses: groundingResponses(result) });
    return result;
  } catch (error) {
    const soFar = runSoFar(error);
    if (soFar !== undefined) attach({ usage: soFar.usage, cost: soFar.cost, unpriced: soFar.unpriced, responses: [] });
    throw error;
  }
}
