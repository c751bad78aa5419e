import { GuardrailError } from "../../errors/run-errors.ts";
import { messageOf } from "../../errors/agent-error.ts";
import type { GuardrailAction } from "../../durable/run-log.ts";
import { abortable, startTimer } from "../../internal/abort.ts";
import { cutText, sharedLength } from "../../internal/text.ts";
import { visibleText } from "../../model/response/parts.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import { needsCheck, type OutputGuardrail, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { LoopStep } from "../observers/observer.ts";
import { checkOutput } from "./check-guardrails.ts";
import type { PartialResponse } from "./partial-answer.ts";

/** An answer that is held until its output guardrails have checked it. Shows only the text about which their verdict can no longer change. */
export class HeldAnswer {
  readonly #input: LoopInput;
  readonly #turn: number;
  readonly #step: LoopStep;
  readonly #partial: PartialResponse | undefined;
  /** How late text is shown, in characters: `Infinity`, if a guardrail has no `lookback`. */
  readonly #lookback: number;
  /** The text with which the answer begins. */
  #text = "";
  /** Something other than text has arrived: later text comes after it. */
  #isClosed: boolean;
  #isReported = false;
  /** Length of the text at its last check. */
  #checked = 0;

  /** @param partial - Gets the shown text; without it, nothing is shown. */
  constructor(input: LoopInput, turn: number, step: LoopStep, partial: PartialResponse | undefined) {
    this.#input = input;
    this.#turn = turn;
    this.#step = step;
    this.#partial = partial;
    this.#lookback = (input.guardrails?.output ?? []).reduce((sum, { lookback = Infinity }) => sum + lookback, 0);
    this.#isClosed = partial === undefined || this.#lookback === Infinity;
  }

  add(parts: readonly Part[]): void | Promise<void> {
    for (const part of parts) {
      if (part.text === "") continue;
      this.#isClosed ||= part.text === undefined || part.thought === true || part.functionCall !== undefined;
      if (!this.#isClosed) this.#text += part.text;
    }
    const { length } = this.#text;
    // Each check reads all of the text, so a long one is checked less often.
    if (!this.#isClosed) return length > this.#lookback && length >= this.#checked * 1.01 ? this.#release() : undefined;
    if (this.#isReported || this.#input.emit === undefined || !needsCheck({ parts })) return;
    this.#isReported = true;
    return this.#step.emit({ type: "checking", turn: this.#turn });
  }

  async #release(): Promise<void> {
    this.#checked = this.#text.length;
    // A guardrail that fails does so again for the whole answer, and is reported then.
    const settled = await this.#settle(this.#text).catch(() => "");
    const { released = "" } = this.#partial ?? {};
    if (settled.length <= released.length || !settled.startsWith(released)) return;
    this.#partial?.release(settled);
    if (this.#input.emit === undefined) return;
    await this.#step.emit({ type: "text-delta", turn: this.#turn, delta: settled.slice(released.length) });
  }

  /** The beginning of the text that is final, whatever follows. */
  async #settle(text: string): Promise<string> {
    let settled = text;
    for (const guardrail of this.#input.guardrails?.output ?? []) {
      const passed = await this.#ask(guardrail, settled);
      const known = cutText(settled, Math.max(0, settled.length - (guardrail.lookback ?? Infinity)));
      // If it changed the text, lengths say nothing: the part is final on which its results for the whole and the known text agree.
      settled = passed === settled ? known : passed.slice(0, sharedLength(passed, await this.#ask(guardrail, known)));
    }
    return settled;
  }

  /** A guardrail's result for a text; empty if it stops the answer. */
  async #ask(guardrail: OutputGuardrail, text: string): Promise<string> {
    const input = { ...this.#input, guardrails: { output: [guardrail] } };
    const { kept } = await checkPart(input, [{ text }], this.#turn, this.#step.signal);
    return visibleText({ role: "model", parts: kept });
  }
}

/** How long guardrails may take to check an answer that broke off, and its reader to read the result, in milliseconds. */
const PARTIAL_CHECK_MS = 5_000;

/** The guardrails' result for an answer that broke off. */
export interface CheckedPartial {
  readonly actions: readonly GuardrailAction[];
  readonly kept: readonly Part[];
}

/** Checks parts of an answer that broke off. Never rejects. @param show - Called with the verdict; awaited no longer than the check may take. */
export async function checkParts(
  input: GuardedRun,
  parts: readonly Part[],
  turn: number,
  show: (checked: CheckedPartial) => Promise<void> = async () => {},
): Promise<CheckedPartial> {
  const limit = new AbortController();
  // Aborting the run has ended its own signal.
  const stopTimer = startTimer(PARTIAL_CHECK_MS, () =>
    limit.abort(new Error(`an answer that broke off is checked for at most ${PARTIAL_CHECK_MS} ms`)),
  );
  let checked: CheckedPartial = { actions: [], kept: [] };
  try {
    checked = await askGuardrails(input, parts, turn, limit.signal);
    await abortable(show(checked), limit.signal);
  } catch {
    // The reader has stopped reading.
  } finally {
    stopTimer();
  }
  return checked;
}

/** A guardrail that fails stops the answer. */
async function askGuardrails(
  input: GuardedRun,
  parts: readonly Part[],
  turn: number,
  signal: AbortSignal,
): Promise<CheckedPartial> {
  const stop = (name: string, reason: string): CheckedPartial => ({
    actions: [{ name, action: "stop", reason }],
    kept: [],
  });
  const { output = [] } = input.guardrails ?? {};
  if (output.length === 0) return stop("", "the guardrails that should check it are missing");
  if (!needsCheck({ parts })) return { actions: [], kept: parts };
  try {
    return await checkPart(input, parts, turn, signal);
  } catch (error) {
    const name = error instanceof GuardrailError ? error.guardrail : output.map((one) => one.name).join(", ");
    return stop(name, messageOf(error));
  }
}

async function checkPart(
  input: GuardedRun,
  parts: readonly Part[],
  turn: number,
  signal: AbortSignal,
): Promise<CheckedPartial> {
  const answer: Content = { role: "model", parts };
  const partial = { content: answer, isFinal: false, isPartial: true, output: undefined };
  const { actions, content = answer } = await checkOutput(input, partial, turn, signal);
  return { actions, kept: readStop("output", actions) === undefined ? content.parts : [] };
}

type GuardedRun = Pick<LoopInput, "identity" | "context" | "guardrails">;
