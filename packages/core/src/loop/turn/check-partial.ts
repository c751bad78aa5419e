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

/** An answer that is held until its output guardrails have checked it. Of its text, as much is shown as they cannot change their minds about. */
export class HeldAnswer {
  readonly #input: LoopInput;
  readonly #turn: number;
  readonly #step: LoopStep;
  readonly #partial: PartialResponse | undefined;
  /** How late text is shown, in characters: not before the end, if a guardrail does not say. */
  readonly #lookback: number;
  /** That the answer begins with. */
  #text = "";
  /** Something else has come: what is shown later stands behind it. */
  #isClosed: boolean;
  #isTold = false;
  /** How long the text was when it was checked. */
  #checked = 0;

  /** @param partial - Gets what is shown of the text; without it, nothing is. */
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
    if (this.#isTold || this.#input.emit === undefined || !needsCheck({ parts })) return;
    this.#isTold = true;
    return this.#step.emit({ type: "checking", turn: this.#turn });
  }

  async #release(): Promise<void> {
    this.#checked = this.#text.length;
    // One that fails does so again for the whole answer, which is reported.
    const settled = await this.#settle(this.#text).catch(() => "");
    const { released = "" } = this.#partial ?? {};
    if (settled.length <= released.length || !settled.startsWith(released)) return;
    this.#partial?.release(settled);
    if (this.#input.emit === undefined) return;
    await this.#step.emit({ type: "text-delta", turn: this.#turn, delta: settled.slice(released.length) });
  }

  /** What the text begins with in the end, whatever follows. */
  async #settle(text: string): Promise<string> {
    let settled = text;
    for (const guardrail of this.#input.guardrails?.output ?? []) {
      const passed = await this.#ask(guardrail, settled);
      const known = cutText(settled, Math.max(0, settled.length - (guardrail.lookback ?? Infinity)));
      // Where it made something else of the text, lengths say nothing: what it makes of the known text stays as far as both agree.
      settled = passed === settled ? known : passed.slice(0, sharedLength(passed, await this.#ask(guardrail, known)));
    }
    return settled;
  }

  /** What a guardrail makes of a text; nothing of one that it stops. */
  async #ask(guardrail: OutputGuardrail, text: string): Promise<string> {
    const input = { ...this.#input, guardrails: { output: [guardrail] } };
    const { kept } = await checkPart(input, [{ text }], this.#turn, this.#step.signal);
    return visibleText({ role: "model", parts: kept });
  }
}

/** How long guardrails may take for an answer that broke off, and its reader to see what they made of it, in milliseconds. */
const PARTIAL_CHECK_MS = 5_000;

/** What guardrails made of an answer that broke off. */
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
    // The reader does not read on.
  } finally {
    stopTimer();
  }
  return checked;
}

/** One that fails stops the answer. */
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
  if (output.length === 0) return stop("", "the guardrails that were to check it are missing");
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
  const said: Content = { role: "model", parts };
  const asked = { content: said, isFinal: false, isPartial: true, output: undefined };
  const { actions, content = said } = await checkOutput(input, asked, turn, signal);
  return { actions, kept: readStop("output", actions) === undefined ? content.parts : [] };
}

type GuardedRun = Pick<LoopInput, "identity" | "context" | "guardrails">;
