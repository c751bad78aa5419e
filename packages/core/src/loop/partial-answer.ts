import { PartCollector } from "../model/response/parts.ts";
import type { Content, Part } from "../wire/types/content.ts";

/**
 * What the model has said in the request that is under way: empty between two requests, and once the answer is whole.
 *
 * Function calls are left out: a call is not begun before its answer is whole.
 */
export class PartialAnswer {
  /** Name of the step that asks. */
  step = "";
  /** From 1: how often its request was sent in this process. */
  attempt = 0;
  readonly #changed: ((partial: PartialAnswer) => void) | undefined;
  /** As they came; joined only when somebody asks. */
  #batches: (readonly Part[])[] = [];

  /** @param changed - Called after each change. */
  constructor(changed?: (partial: PartialAnswer) => void) {
    this.#changed = changed;
  }

  /** A request is sent: what an earlier one said is void. */
  begin(step: string): void {
    this.attempt = step === this.step ? this.attempt + 1 : 1;
    this.step = step;
    this.clear();
  }

  /** Adds what one chunk brought. */
  add(parts: readonly Part[]): void {
    this.#batches.push(parts);
    this.#changed?.(this);
  }

  /** What was said is void, or has become a whole answer. */
  clear(): void {
    if (this.#batches.length === 0) return;
    this.#batches = [];
    this.#changed?.(this);
  }

  /** What was said, in order. */
  parts(): readonly Part[] {
    const collector = new PartCollector();
    for (const parts of this.#batches) collector.add(parts.filter((part) => part.functionCall === undefined));
    return collector.parts();
  }
}

/**
 * What of an unfinished answer can be sent as a content of the model's: text as it came; thoughts with a signature only; what the
 * service ran only with its result; media.
 *
 * @returns Undefined when nothing is left.
 */
export function sendablePartial(parts: readonly Part[]): Content | undefined {
  const kept = parts.filter((part, index) => {
    if (part.functionCall !== undefined) return false;
    if (part.executableCode !== undefined) return parts[index + 1]?.codeExecutionResult !== undefined;
    if (part.codeExecutionResult !== undefined) return parts[index - 1]?.executableCode !== undefined;
    if (part.toolCall !== undefined) return hasPartner(parts, "toolResponse", part.toolCall.id);
    if (part.toolResponse !== undefined) return hasPartner(parts, "toolCall", part.toolResponse.id);
    if (part.thought === true) return part.thoughtSignature !== undefined;
    return part.text !== "" || part.thoughtSignature !== undefined;
  });
  return kept.length === 0 ? undefined : { role: "model", parts: kept };
}

function hasPartner(parts: readonly Part[], kind: "toolCall" | "toolResponse", id: string | undefined): boolean {
  return parts.some((part) => part[kind] !== undefined && part[kind].id === id);
}
