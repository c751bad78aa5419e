import { HttpError } from "@pollux/core/serving";
import { type EventStreamOptions, streamResponse } from "./event-stream.ts";
import { textSlices } from "../text-slices.ts";

/** The same answer whether a conversation does not exist or is somebody else's. */
export function noSuchChat(): HttpError {
  return new HttpError(404, "not_found", "There is no such conversation.");
}

/** Headers of every answer that is not a stream: it is for one person, and browsers must not guess its type. */
const PRIVATE = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** JSON, for one person. */
export function replyJson(value: unknown, status: number = 200): Response {
  return Response.json(value, { status, headers: PRIVATE });
}

/**
 * JSON of any length, for one person: a long one is written as it is read.
 *
 * @param options - `onClose`: called once, when all was read or the reader has left.
 */
export function replyLongJson(
  value: unknown,
  options: Pick<EventStreamOptions, "signal" | "stallTimeoutMs" | "onClose">,
): Response {
  const headers = { ...PRIVATE, "content-type": "application/json" };
  const pieces = jsonPieces(value);
  const [first, second] = [pieces.next(), pieces.next()];
  if (second.done === true) {
    options.onClose();
    return new Response(first.value ?? "", { headers });
  }
  const all = (function* () {
    yield first.value ?? "";
    yield second.value;
    yield* pieces;
  })();
  return streamResponse(all, { ...options, headers, keepAliveMs: Infinity });
}

/** Characters of a piece, at least: few enough to wait in memory for a reader that stalls. */
const MIN_PIECE = 16_384;

/** The JSON of a value in pieces, made as they are read: a long text in it is never copied as a whole. */
export function* jsonPieces(value: unknown): Generator<string, void> {
  let joined = "";
  for (const token of tokensOf(value)) {
    joined += token;
    if (joined.length < MIN_PIECE) continue;
    yield joined;
    joined = "";
  }
  if (joined !== "") yield joined;
}

function* tokensOf(value: unknown): Generator<string, void> {
  if (typeof value === "string" && value.length > MIN_PIECE) {
    yield '"';
    for (const slice of textSlices(value)) yield JSON.stringify(slice).slice(1, -1);
    yield '"';
  } else if (typeof value !== "object" || value === null || "toJSON" in value) {
    // What JSON can't express is null in a list; in an object it was left out.
    yield value === undefined || typeof value === "function" ? "null" : JSON.stringify(value);
  } else {
    const isList = Array.isArray(value);
    let isFirst = true;
    yield isList ? "[" : "{";
    for (const [name, member] of Object.entries(value)) {
      if (!isList && (member === undefined || typeof member === "function")) continue;
      if (!isFirst) yield ",";
      if (!isList) yield `${JSON.stringify(name)}:`;
      yield* tokensOf(member);
      isFirst = false;
    }
    yield isList ? "]" : "}";
  }
}

/** No content, for one person. */
export function replyEmpty(headers: { readonly [name: string]: string } = {}): Response {
  return new Response(undefined, { status: 204, headers: { ...PRIVATE, ...headers } });
}

/** @param options - `reference`: finds the line in the log that says more. `isText`: the body is the message alone. */
export function replyError(
  { status, code, message, headers: own }: HttpError,
  { reference, isText }: { readonly reference?: string | undefined; readonly isText: boolean },
): Response {
  const found = reference !== undefined && { reference };
  const headers = { ...PRIVATE, "pollux-error": code, ...(found && { "pollux-reference": found.reference }), ...own };
  // A text is plain without a header that says so.
  if (isText) return new Response(message, { status, headers });
  return Response.json({ error: { code, message, ...found } }, { status, headers });
}
