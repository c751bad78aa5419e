import { type GuardrailAction, type ModelPlace, stepName } from "../../durable/run-log.ts";
import { readCalls } from "../../model/history/open-calls.ts";
import type { Usage } from "../../model/usage.ts";
import { isCallPiece, PartCollector } from "../../model/response/parts.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../../wire/types/content.ts";

/** An answer that output guardrails have not yet checked: `held` back until they have, or `shown` meanwhile. */
export type Unchecked = "held" | "shown";

/** The model's answer so far to the current request, without open calls; empty once the answer is whole. */
export class PartialResponse {
  /** Of the step that sends the request. */
  place: ModelPlace = { kind: "model", phase: "work", turn: 0, attempt: 0 };
  /** From 1: how often its request was sent in this process. */
  attempt = 0;
  /** Set until guardrails have checked the answer; until then, it is not kept. */
  unchecked: Unchecked | undefined;
  /** What guardrails did about the answer. */
  checked: readonly GuardrailAction[] = [];
  /** Its usage, when the run was aborted in the middle. */
  lost: Usage | undefined;
  /** The shown text of a held answer. Kept until the next request, for the events that follow. */
  released = "";
  readonly #changed: ((partial: PartialResponse) => void) | undefined;
  /** As received; joined only on demand. */
  #batches: (readonly Part[])[] = [];

  /** @param changed - Called after each change. */
  constructor(changed?: (partial: PartialResponse) => void) {
    this.#changed = changed;
  }

  /** A request is sent: an earlier answer is void, except for text that stays shown. */
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

  /** Shows this much of a held answer's text. */
  release(text: string): void {
    this.released = text;
    this.#changed?.(this);
  }

  get isWatched(): boolean {
    return this.#changed !== undefined;
  }

  /** Guardrails have checked the answer: these parts pass. */
  settle(parts: readonly Part[], checked: readonly GuardrailAction[]): void {
    this.#batches = [parts];
    this.unchecked = undefined;
    this.checked = checked;
  }

  get step(): string {
    return stepName(this.place);
  }

  /** The answer is void, or is now whole. @param released - The text that stays shown. */
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

  /** The answer so far, in order. */
  parts(): readonly Part[] {
    const received = this.#batches.flat();
    const open = openPartsIn(received);
    const collector = new PartCollector();
    collector.add(received.filter((part) => !open.has(part)));
    return collector.parts();
  }
}

/** The part of an unfinished answer that can be sent, if any: text; signed thoughts; media; the service's code and calls with results. */
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
