import { ApiShapeError } from "../../errors/api-errors.ts";
import { isObject } from "../../internal/json.ts";
import type { FunctionCall, JsonObject, Part, PartialArg } from "../../wire/types/content.ts";

/**
 * One function call whose arguments arrive in pieces.
 *
 * @see https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
 */
export class PartialCall {
  readonly #part: Part;
  readonly #args: Record<string, unknown>;
  #signature: string | undefined;
  /** False once the last piece was added. */
  open = true;

  /** @param part - The piece that has the name. */
  constructor(part: Part) {
    this.#part = part;
    this.#args = { ...part.functionCall?.args };
    this.add(part);
  }

  /** @throws {ApiShapeError} For a path that is none, or that leads out of the arguments. */
  add({ functionCall: call, thoughtSignature }: Part): void {
    this.#signature ??= thoughtSignature;
    for (const piece of call?.partialArgs ?? []) setPiece(this.#args, piece);
    this.open = call?.willContinue === true;
  }

  /** What a piece adds, for a reader who follows the call while it is written: name and id stand on each. */
  piece({ functionCall: call }: Part): Part {
    // The first piece of a call has the name.
    const { id, name } = this.#part.functionCall as FunctionCall;
    const partialArgs = call?.partialArgs ?? [];
    return { functionCall: { ...(id !== undefined && { id }), name, partialArgs, willContinue: true } };
  }

  /** The call as one part, as if it had come whole. */
  finish(): Part {
    const { partialArgs: _pieces, willContinue: _more, ...call } = this.#part.functionCall as FunctionCall;
    const args: JsonObject = this.#args;
    return {
      ...this.#part,
      functionCall: { ...call, args },
      ...(this.#signature !== undefined && { thoughtSignature: this.#signature }),
    };
  }
}

type Step = string | number;

function setPiece(root: Record<string, unknown>, piece: PartialArg): void {
  const { steps, endsList } = parsePath(piece.jsonPath);
  let holder: unknown = root;
  steps.forEach((step, i) => {
    if (i === steps.length - 1) return setValue(holder, step, endsList ? "list" : piece);
    holder = openContainer(holder, step, typeof steps[i + 1] === "number" ? "list" : "object", piece.jsonPath);
  });
}

function setValue(holder: unknown, step: Step, piece: PartialArg | "list"): void {
  const at = holder as Record<Step, unknown>;
  const before = Object.hasOwn(at, step) ? at[step] : undefined;
  if (piece === "list") at[step] = Array.isArray(before) ? before : [];
  else if (piece.stringValue !== undefined)
    at[step] = typeof before === "string" ? before + piece.stringValue : piece.stringValue;
  else if (piece.numberValue !== undefined) at[step] = piece.numberValue;
  else if (piece.boolValue !== undefined) at[step] = piece.boolValue;
  else if (piece.nullValue !== undefined) at[step] = null;
}

function openContainer(holder: unknown, step: Step, kind: "list" | "object", path: string): unknown {
  const at = holder as Record<Step, unknown>;
  const before = Object.hasOwn(at, step) ? at[step] : undefined;
  if (kind === "list" ? Array.isArray(before) : isObject(before)) return before;
  if (before !== undefined) throw pathError(path, "goes through a value that is not an object or list");
  const made = kind === "list" ? [] : {};
  at[step] = made;
  return made;
}

/** Segments that would reach beyond the arguments, into what all objects share. */
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
/** Longest array that streamed arguments may build, in elements. */
const MAX_INDEX = 100_000;

const SEGMENT = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|(\[\])$/y;

/** `$.a[0]['b c']` → steps. A path that ends in `[]` closes a list, which is empty if nothing was put in it. */
function parsePath(path: unknown): { readonly steps: readonly Step[]; readonly endsList: boolean } {
  if (typeof path !== "string" || !path.startsWith("$")) throw pathError(String(path), "is no JSON path");
  const steps: Step[] = [];
  let endsList = false;
  for (SEGMENT.lastIndex = 1; SEGMENT.lastIndex < path.length;) {
    const match = SEGMENT.exec(path);
    if (match === null) throw pathError(path, "is no JSON path");
    const [, plain, index, single, double, end] = match;
    const key = plain ?? (single ?? double)?.replaceAll(/\\(.)/g, "$1");
    if (key !== undefined && FORBIDDEN.has(key)) throw pathError(path, "leads out of the arguments");
    if (index !== undefined && Number(index) > MAX_INDEX) throw pathError(path, `has an index above ${MAX_INDEX}`);
    if (end !== undefined) endsList = true;
    else steps.push(key ?? Number(index));
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
