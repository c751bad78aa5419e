import type { Content, Part } from "../../wire/types/content.ts";
import { PartialCall } from "./partial-args.ts";

/**
 * Collects the parts of an answer as they arrive.
 *
 * Text grows the last part only when both are plain unsigned text of the same kind (answer or thought); everything else
 * stays a part of its own, as it came. Each character is handled once, however many pieces there are. A call whose
 * arguments come in pieces takes its place where its first piece stood.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export class PartCollector {
  readonly #parts: (Part | PartialCall)[] = [];
  /** The last part, while it is plain text that may grow. */
  #text: Part | undefined;
  /** Text after that of the last part. */
  #grown = "";
  #call: PartialCall | undefined;

  /**
   * Takes in what one chunk brought.
   *
   * @returns What can be handed on now: the same parts, but of a call with streamed arguments each piece under the
   *   call's name (see {@link PartialCall.piece}), and then the call, once it is complete.
   * @throws {ApiShapeError} For streamed arguments that cannot be put together.
   */
  add(incoming: readonly Part[]): readonly Part[] {
    let complete: Part[] | undefined;
    for (const [i, part] of incoming.entries()) {
      if (complete === undefined && this.#call === undefined && part.functionCall === undefined) this.#append(part);
      else this.#addOne(part, (complete ??= incoming.slice(0, i)));
    }
    return complete ?? incoming;
  }

  /** Closes a call that was never finished. Its part, if there was one. */
  close(): readonly Part[] {
    const call = this.#call;
    this.#call = undefined;
    return call === undefined ? [] : [call.finish()];
  }

  /** Everything collected so far, in order of arrival. */
  parts(): Part[] {
    this.#settle();
    return this.#parts.map((part) => (part instanceof PartialCall ? part.finish() : part));
  }

  #addOne(part: Part, complete: Part[]): void {
    const call = this.#call;
    if (call !== undefined && part.functionCall !== undefined && part.functionCall.name === undefined) {
      call.add(part);
      if (part.functionCall.partialArgs !== undefined) complete.push(call.piece(part));
      if (!call.open) complete.push(...this.close());
      return;
    }
    if (call !== undefined && part.functionCall !== undefined) complete.push(...this.close());
    if (!opensCall(part)) {
      this.#append(part);
      complete.push(part);
      return;
    }
    const opened = new PartialCall(part);
    this.#settle();
    this.#parts.push(opened);
    this.#text = undefined;
    this.#call = opened;
    complete.push(opened.piece(part));
    if (!opened.open) complete.push(...this.close());
  }

  #append(part: Part): void {
    const isText = isPlainText(part);
    if (isText && this.#text !== undefined && part.thought === this.#text.thought) {
      this.#grown += part.text;
      return;
    }
    if (this.#grown !== "") this.#settle();
    this.#parts.push(part);
    this.#text = isText ? part : undefined;
  }

  /** Puts the text that was added since into the last part. */
  #settle(): void {
    if (this.#grown === "") return;
    const last = this.#parts.at(-1) as Part;
    this.#parts[this.#parts.length - 1] = { ...last, text: last.text + this.#grown };
    this.#grown = "";
  }
}

/** Text and nothing else: no signature, and no key that this library does not know. */
function isPlainText(part: Part): part is Part & { readonly text: string } {
  if (typeof part.text !== "string") return false;
  for (const key in part) if (key !== "text" && key !== "thought") return false;
  return true;
}

/** True for the first piece of a call whose arguments come in pieces. */
function opensCall({ functionCall: call }: Part): boolean {
  return call?.name !== undefined && (call.willContinue === true || call.partialArgs !== undefined);
}

/** True for what a {@link PartialCall} made: a piece that goes by before the whole call does. */
export function isCallPiece({ functionCall: call }: Part): boolean {
  return call?.name !== undefined && call.willContinue === true;
}

/** Text of the parts that are not thoughts, by plain concatenation. */
export function visibleText(content: Content): string {
  let text = "";
  for (const part of content.parts) if (part.text !== undefined && part.thought !== true) text += part.text;
  return text;
}
