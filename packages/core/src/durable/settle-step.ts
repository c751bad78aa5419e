import type { Json } from "../internal/json.ts";
import { describeError } from "./describe-error.ts";
import type { Op, Outcome, Step } from "./steps.ts";

/** Bounds of what a step may leave. */
export interface SettleStepOptions {
  /** Largest value in bytes of JSON; a larger one becomes an error. @defaultValue 8_388_608 */
  readonly maxBytes?: number | undefined;
}

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Runs one step and gives its outcome: what an engine's adapter calls inside the engine's own step. The value went through JSON,
 * so that it is the same now and when it is read again; an error is data.
 *
 * @throws The signal's reason when it has aborted and the step did not end by itself: nothing is to be recorded then.
 */
export async function settleStep<Event>(
  op: Pick<Extract<Op<Event>, { kind: "step" }>, "name" | "run">,
  step: Step<Event>,
  { maxBytes = MAX_BYTES }: SettleStepOptions = {},
): Promise<Outcome> {
  step.signal.throwIfAborted();
  try {
    return valueOutcome(op.name, await op.run(step), maxBytes);
  } catch (error) {
    if (step.signal.aborted) throw step.signal.reason;
    return { ok: false, error: describeError(error) };
  }
}

function valueOutcome(name: string, value: unknown, maxBytes: number): Outcome {
  // `undefined` has no JSON, whatever the types say.
  const text = (JSON.stringify(value) as string | undefined) ?? "null";
  const bytes = byteLength(text, maxBytes);
  if (bytes <= maxBytes) return { ok: true, value: JSON.parse(text) as Json };
  const message =
    `what ${name} left has ${bytes} bytes, and ${maxBytes} are kept: ` +
    "put large data into a file or a store, and give back where it is";
  return { ok: false, error: { name: "ValueTooLargeError", code: VALUE_TOO_LARGE, message } };
}

/** Bytes of a text in UTF-8, or fewer when it surely fits: it has at most three for one UTF-16 unit, so most need no counting. */
export function byteLength(text: string, bound: number): number {
  return text.length * 3 <= bound ? text.length : new TextEncoder().encode(text).length;
}

/** Code of the error that a value which is too large becomes. */
export const VALUE_TOO_LARGE = "value-too-large";
