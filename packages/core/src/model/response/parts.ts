import { ApiShapeError } from "../../errors/api-errors.ts";
import { isObject, MAX_LEVELS, present } from "../../internal/json.ts";
import type { Content, FunctionCall, JsonObject, Part, PartialArg } from "../../wire/types/content.ts";

/**
 * Collects the parts of an answer as they arrive. Text extends the last part only when both are plain unsigned text of the same kind; every
 * other part is kept as received. A call whose arguments are streamed stays where its first piece was.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export class PartCollector {
  readonly #parts: (Part | PartialCall)[] = [];
  /** The last part, while it is plain text that may grow; a copy of our own. */
  #text: { -readonly [Name in keyof Part]: Part[Name] } | undefined;
  #call: PartialCall | undefined;
  readonly #gaps: Gaps = { left: MAX_GAPS };

  /** Adds the parts of one chunk. @returns The parts that are now complete, and pieces of open calls. @throws {ApiShapeError} For streamed arguments that cannot be assembled. */
  add(incoming: readonly Part[]): readonly Part[] {
    const complete: Part[] = [];
    for (const part of incoming) {
      const { functionCall } = part;
      if (functionCall?.name !== undefined) complete.push(...this.close());
      const isOpening =
        functionCall?.name !== undefined &&
        (functionCall.willContinue === true || functionCall.partialArgs !== undefined);
      if (isOpening) {
        this.#call = new PartialCall(part, this.#gaps);
        this.#text = undefined;
        this.#parts.push(this.#call);
      } else if (functionCall === undefined || this.#call === undefined) {
        this.#append(part);
        complete.push(part);
        continue;
      } else this.#call.add(part);
      if (isOpening || functionCall?.partialArgs !== undefined) complete.push(this.#call.piece(part));
      if (!this.#call.open) complete.push(...this.close());
    }
    return complete;
  }

  /** Ends an unfinished call. @returns Its part, if there was one. */
  close(): readonly Part[] {
    const call = this.#call;
    this.#call = undefined;
    return call === undefined ? [] : [call.finish()];
  }

  /** Every part so far, in order of arrival. */
  parts(): Part[] {
    return this.#parts.map((part) => {
      if (part instanceof PartialCall) return part.finish();
      return part === this.#text ? { ...part } : part;
    });
  }

  #append(part: Part): void {
    const isText = isPlainText(part);
    if (isText && this.#text !== undefined && part.thought === this.#text.thought) {
      this.#text.text += part.text;
      return;
    }
    this.#text = isText ? { ...part } : undefined;
    this.#parts.push(this.#text ?? part);
  }
}

/** Text only: no signature, and no key that this library does not know. */
function isPlainText(part: Part): part is Part & { readonly text: string } {
  if (typeof part.text !== "string") return false;
  for (const key in part) if (key !== "text" && key !== "thought") return false;
  return true;
}

/** True for a piece made by {@link PartialCall.piece}; the whole call follows later. */
export function isCallPiece({ functionCall: call }: Part): boolean {
  return call?.name !== undefined && call.willContinue === true;
}

/** Text of the parts that are not thoughts, concatenated. */
export function visibleText(content: Content): string {
  let text = "";
  for (const part of content.parts) if (part.text !== undefined && part.thought !== true) text += part.text;
  return text;
}

/** A function call with streamed arguments. @see https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling */
class PartialCall {
  readonly #part: Part;
  readonly #args: Record<string, unknown>;
  readonly #gaps: Gaps;
  #signature: string | undefined;
  /** False once the last piece was added. */
  open = true;

  /** @param part - The piece that has the name. */
  constructor(part: Part, gaps: Gaps) {
    this.#part = part;
    this.#gaps = gaps;
    this.#args = { ...part.functionCall?.args };
    this.add(part);
  }

  /** @throws {ApiShapeError} For an invalid path, or one outside the arguments. */
  add({ functionCall: call, thoughtSignature }: Part): void {
    this.#signature ??= thoughtSignature;
    for (const piece of call?.partialArgs ?? []) setPiece(this.#args, piece, this.#gaps);
    this.open = call?.willContinue === true;
  }

  /** One piece, for readers that follow the call as it is written. Carries the call's name and id. */
  piece({ functionCall: call }: Part): Part {
    // The first piece of a call has the name.
    const { id, name } = this.#part.functionCall as FunctionCall;
    const partialArgs = call?.partialArgs ?? [];
    return { functionCall: { ...(id !== undefined && { id }), name, partialArgs, willContinue: true } };
  }

  /** The call as one part, as if it had arrived whole. */
  finish(): Part {
    const { partialArgs: _pieces, willContinue: _more, ...call } = this.#part.functionCall as FunctionCall;
    const args: JsonObject = this.#args;
    return {
      ...this.#part,
      functionCall: { ...call, args },
      ...present({ thoughtSignature: this.#signature }),
    };
  }
}

type Step = string | number;

function setPiece(root: Record<string, unknown>, piece: PartialArg, gaps: Gaps): void {
  const { steps, endsList } = parsePath(piece.jsonPath);
  let holder: unknown = root;
  steps.forEach((step, i) => {
    // Without a limit, some bytes for each path would become a list of 100,000 elements.
    if (typeof step === "number" && Array.isArray(holder)) gaps.left -= Math.max(0, step - holder.length);
    if (gaps.left < 0)
      throw pathError(piece.jsonPath, `skips elements of a list, more than ${MAX_GAPS} in this answer`);
    // An object or a list, as opened below.
    const at = holder as Record<Step, unknown>;
    const before = Object.hasOwn(at, step) ? at[step] : undefined;
    const next = steps[i + 1];
    if (next === undefined) {
      const value = endsList ? (Array.isArray(before) ? before : []) : readPiece(before, piece);
      if (value !== undefined) at[step] = value;
    } else {
      const isRight = typeof next === "number" ? Array.isArray(before) : isObject(before);
      if (!isRight && before !== undefined)
        throw pathError(piece.jsonPath, "goes through a value that is not an object or list");
      if (!isRight) at[step] = typeof next === "number" ? [] : {};
      holder = at[step];
    }
  });
}

/** A value extended by a piece; undefined for a piece without a value. */
function readPiece(before: unknown, { stringValue, numberValue, boolValue, nullValue }: PartialArg): unknown {
  if (stringValue !== undefined) return typeof before === "string" ? before + stringValue : stringValue;
  if (numberValue !== undefined) return numberValue;
  return boolValue === undefined && nullValue !== undefined ? null : boolValue;
}

/** Elements that the paths of one answer may still skip. */
interface Gaps {
  left: number;
}

/** Segments that would reach the prototype that all objects share. */
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
/** Longest array that streamed arguments may build, in elements. */
const MAX_INDEX = 100_000;
/** Most elements that the paths of an answer may skip. */
const MAX_GAPS = 100_000;

const SEGMENT = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|(\[\])$/y;

/** Parses a path such as `$.a[0]['b c']`. One that ends in `[]` closes a list, which may be empty. */
function parsePath(path: unknown): { readonly steps: readonly Step[]; readonly endsList: boolean } {
  if (typeof path !== "string" || !path.startsWith("$")) throw pathError(String(path), "is not a JSON path");
  const steps: Step[] = [];
  let endsList = false;
  for (SEGMENT.lastIndex = 1; SEGMENT.lastIndex < path.length;) {
    const match = SEGMENT.exec(path);
    if (match === null) throw pathError(path, "is not a JSON path");
    const [, plain, index, single, double, end] = match;
    const key = plain ?? (single ?? double)?.replaceAll(/\\(.)/g, "$1");
    if (key !== undefined && FORBIDDEN.has(key)) throw pathError(path, "leads out of the arguments");
    if (index !== undefined && Number(index) > MAX_INDEX) throw pathError(path, `has an index above ${MAX_INDEX}`);
    if (end !== undefined) endsList = true;
    else steps.push(key ?? Number(index));
    if (steps.length > MAX_LEVELS) throw pathError(path, `nests more than ${MAX_LEVELS} levels`);
  }
  if (typeof steps[0] !== "string") throw pathError(path, "does not name an argument");
  return { steps, endsList };
}

function pathError(path: string, problem: string): ApiShapeError {
  return new ApiShapeError(
    `The streamed arguments cannot be assembled: a path ${problem}.`,
    "functionCall.partialArgs.jsonPath",
    path,
  );
}
