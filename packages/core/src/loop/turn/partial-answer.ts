import { type GuardrailAction, type ModelPlace, stepName } from "../../durable/run-log.ts";
import { readCalls } from "../../model/history/open-calls.ts";
import type { Usage } from "../../model/usage.ts";
import { isCallPiece, PartCollector } from "../../model/response/parts.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../../wire/types/content.ts";

/** Whether output guardrails have yet to check an answer: `held`, and nobody may see it before; or `shown` meanwhile. */
export type Unchecked = "held" | "shown";

/** What the model has said in the request that is under way, without open calls; empty once the answer is whole. */
export class PartialResponse {
  /** Of the step that asks. */
  place: ModelPlace = { kind: "model", phase: "work", turn: 0, attempt: 0 };
  /** From 1: how often its request was sent in this process. */
  attempt = 0;
  /** Until guardrails have checked it, it is not kept. */
  unchecked: Unchecked | undefined;
  /** What guardrails did about it. */
  checked: readonly GuardrailAction[] = [];
  /** What it used, when the run was aborted in the middle. */
  lost: Usage | undefined;
  /** What was shown of the text of an answer that is held. Kept until the next request, for what follows it. */
  released = "";
  readonly #changed: ((partial: PartialResponse) => void) | undefined;
  /** As they came; joined only when somebody asks. */
  #batches: (readonly Part[])[] = [];

  /** @param changed - Called after each change. */
  constructor(changed?: (partial: PartialResponse) => void) {
    this.#changed = changed;
  }

  /** A request is sent: what an earlier one said is void, but for what stays shown. */
  begin(place: ModelPlace, unchecked: Unchecked | undefined, released?: string): void {
    const { turn, attempt } = this.place;
    this.attempt = place.turn === turn && place.attempt === attempt ? this.attempt + 1 : 1;
    this.place = place;
    this.unchecked = unchecked;
    this.lost = undefined;
    this.clear(released);
  }

  add(parts: readonly Part[]): void {
    this.#batches.push(parts);
    if (this.unchecked !== "held") this.#changed?.(this);
  }

  /** Of an answer that is held, so much of the text is shown. */
  release(text: string): void {
    this.released = text;
    this.#changed?.(this);
  }

  get isWatched(): boolean {
    return this.#changed !== undefined;
  }

  /** Guardrails have checked what was said: these parts pass. */
  settle(parts: readonly Part[], checked: readonly GuardrailAction[]): void {
    this.#batches = [parts];
    this.unchecked = undefined;
    this.checked = checked;
  }

  get step(): string {
    return stepName(this.place);
  }

  /** What was said is void, or has become a whole answer, of which so much stays shown. */
  clear(released: string = ""): void {
    this.released = released;
    if (this.#batches.length === 0) return;
    this.#batches = [];
    this.#changed?.(this);
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** {@link parts}, as far as they may be kept. */
  kept(): readonly Part[] {
    return this.unchecked === undefined ? this.parts() : [];
  }

  /** {@link parts}, as far as they may be shown. */
  shown(): readonly Part[] {
    if (this.unchecked !== "held") return this.parts();
    return this.isEmpty || this.released === "" ? [] : [{ text: this.released }];
  }

  /** What was said, in order. */
  parts(): readonly Part[] {
    const said = this.#batches.flat();
    const open = openPartsIn(said);
    const collector = new PartCollector();
    collector.add(said.filter((part) => !open.has(part)));
    return collector.parts();
  }
}

/** What of an unfinished answer can be sent, if anything: text; signed thoughts; media; what the service ran, with results. */
export function sendablePartial(parts: readonly Part[]): Content | undefined {
  const open = openPartsIn(parts);
  const kept = parts.filter((part, index) => {
    if (open.has(part)) return false;
    if (part.functionCall !== undefined || part.functionResponse !== undefined) return true;
    if (part.executableCode !== undefined) return parts[index + 1]?.codeExecutionResult !== undefined;
    if (part.codeExecutionResult !== undefined) return parts[index - 1]?.executableCode !== undefined;
    if (part.toolCall !== undefined) return hasPartner(parts, "toolResponse", part.toolCall.id);
    if (part.toolResponse !== undefined) return hasPartner(parts, "toolCall", part.toolResponse.id);
    if (part.thought === true) return part.thoughtSignature !== undefined;
    return part.text !== "" || part.thoughtSignature !== undefined;
  });
  return kept.length === 0 ? undefined : { role: "model", parts: kept };
}

/** Calls without the service's response, pieces of calls, and responses without a call. */
function openPartsIn(parts: readonly Part[]): ReadonlySet<Part> {
  const whole = parts.filter((part) => !isCallPiece(part));
  const answered = new Set<FunctionCall | FunctionResponse | undefined>(
    readCalls([{ role: "model", parts: whole }]).flatMap(({ call, response }) => (response ? [call, response] : [])),
  );
  const open = parts.filter(
    ({ functionCall, functionResponse }) =>
      (functionCall ?? functionResponse) && !answered.has(functionCall ?? functionResponse),
  );
  return new Set(open);
}

function hasPartner(parts: readonly Part[], kind: "toolCall" | "toolResponse", id: string | undefined): boolean {
  return parts.some((part) => part[kind] !== undefined && part[kind].id === id);
}
