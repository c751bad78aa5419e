import { readCalls } from "../../model/history/open-calls.ts";
import { isCallPiece, PartCollector } from "../../model/response/parts.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../../wire/types/content.ts";

/**
 * What the model has said in the request that is under way: empty between two requests, and once the answer is whole.
 *
 * Open calls are left out: a call is not begun before its answer is whole.
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
    const said = this.#batches.flat();
    const open = openPartsIn(said);
    const collector = new PartCollector();
    collector.add(said.filter((part) => !open.has(part)));
    return collector.parts();
  }
}

/**
 * What of an unfinished answer can be sent as a content of the model's: text as it came; thoughts with a signature only; what the
 * service ran, its own calls included, only with the result; media.
 *
 * @returns Undefined when nothing is left.
 */
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
