import { abortable, startTimer } from "../../internal/abort.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { GuardrailError } from "../../errors/run-errors.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { GuardrailAction } from "../../durable/run-log.ts";
import { needsCheck, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { checkOutput, reportActions } from "./check-guardrails.ts";
import { emitPassed } from "./model-step.ts";

/** How long guardrails may take for an answer that broke off, and its reader to see what they made of it, in milliseconds. */
const PARTIAL_CHECK_MS = 5_000;

/**
 * Checks what the model had said when the run ended in the middle of its answer: what passes is kept, and a reader who has not seen it
 * sees it now. Without guardrails, or when one fails or takes too long, nothing is kept. Never rejects.
 */
export async function checkPartial(input: LoopInput, state: RunState): Promise<void> {
  const { partial, turns: turn } = state;
  const { unchecked } = partial;
  if (unchecked === undefined || partial.isEmpty) return;
  const said = partial.parts();
  await checkParts(input, said, turn, async ({ kept, actions }) => {
    partial.settle(kept, actions);
    await reportActions(input, state, "output", actions, kept);
    if (unchecked === "held" || kept !== said) await emitPassed(input, state, kept, actions.length > 0, false);
  });
}

/** What guardrails made of an answer that broke off. */
export interface CheckedPartial {
  readonly actions: readonly GuardrailAction[];
  readonly kept: readonly Part[];
}

/**
 * Checks parts of an answer that broke off. Never rejects.
 *
 * @param show - Called with the verdict; not waited for any longer than the check may take.
 */
export async function checkParts(
  input: Pick<LoopInput, "identity" | "context" | "guardrails">,
  parts: readonly Part[],
  turn: number,
  show: (checked: CheckedPartial) => Promise<void> = async () => {},
): Promise<CheckedPartial> {
  const limit = new AbortController();
  // Aborting the run has ended its own signal.
  const stopTimer = startTimer(PARTIAL_CHECK_MS, () =>
    limit.abort(new Error(`an answer that broke off is checked for at most ${PARTIAL_CHECK_MS} ms`)),
  );
  const said: Content = { role: "model", parts };
  let checked: CheckedPartial = { actions: [], kept: [] };
  try {
    const { actions, content = said } = await askGuardrails(input, said, turn, limit.signal);
    checked = { actions, kept: readStop("output", actions) === undefined ? content.parts : [] };
    await abortable(show(checked), limit.signal);
  } catch {
    // The reader does not read on.
  } finally {
    stopTimer();
  }
  return checked;
}

/** One that fails stops the answer. */
async function askGuardrails(
  input: Pick<LoopInput, "identity" | "context" | "guardrails">,
  content: Content,
  turn: number,
  signal: AbortSignal,
): ReturnType<typeof checkOutput> {
  const { output = [] } = input.guardrails ?? {};
  if (output.length === 0)
    return { actions: [{ name: "", action: "stop", reason: "the guardrails that were to check it are missing" }] };
  if (!needsCheck(content)) return { actions: [] };
  try {
    return await checkOutput(input, { content, isFinal: false, isPartial: true, output: undefined }, turn, signal);
  } catch (error) {
    const name = error instanceof GuardrailError ? error.guardrail : output.map((one) => one.name).join(", ");
    return { actions: [{ name, action: "stop", reason: messageOf(error) }] };
  }
}
