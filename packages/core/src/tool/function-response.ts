import type { Json } from "../internal/json.ts";
import type { FunctionCall, FunctionResponsePart, JsonObject, Part } from "../wire/types/content.ts";
import { jsonSafe, type JsonSafe } from "./json-safe.ts";
import { type Media, mediaPart } from "./media.ts";
import { jsonCut, mediaHeading, textCut } from "./model-texts.ts";
import type { ToolOutcome } from "./tool.ts";

const DEFAULT_MAX_BYTES = 65_536;

/** What a function response may hold; anything else goes into a content of its own. */
const IN_RESPONSE = new Set(["image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"]);

/** What the response depends on besides the outcome. */
export interface FunctionResponseOptions {
  /** The model takes media inside function responses. */
  readonly mediaInFunctionResponses: boolean;
  /** Largest result in bytes of JSON, media not counted. @defaultValue 65_536 */
  readonly maxResultBytes?: number | undefined;
}

/** A call's answer in parts. */
export interface ResponseParts {
  /** The function response. */
  readonly part: Part;
  /** Media that may not stand beside responses: the parts of a `user` content to send after them. */
  readonly after: readonly Part[];
}

/**
 * Puts an outcome into the form the model reads: the value under `output`, or a failure under `error`, with the call's
 * id and name exactly as they came. Never throws.
 *
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export function functionResponse(
  call: FunctionCall,
  outcome: ToolOutcome,
  options: FunctionResponseOptions,
): ResponseParts {
  const maxBytes = options.maxResultBytes ?? DEFAULT_MAX_BYTES;
  if (!outcome.ok) {
    const safe = jsonSafe(outcome.message, { maxCharacters: maxBytes });
    return {
      part: responsePart(
        call,
        { error: cutText(outcome.message, typeof safe.value === "string" ? safe.value : "", maxBytes) },
        [],
      ),
      after: [],
    };
  }
  // The count runs ahead of the text, by three for each `[` at the most: this much leaves a start of the real text to cut from.
  const safe = jsonSafe(outcome.output, { maxCharacters: maxBytes * 3 });
  const inside: FunctionResponsePart[] = [];
  const after: Part[] = [];
  for (const [index, media] of safe.media.entries()) {
    if (options.mediaInFunctionResponses && IN_RESPONSE.has(media.mimeType)) inside.push(inlinePart(media));
    else after.push({ text: mediaHeading(index + 1, call.name, call.id) }, mediaPart(media));
  }
  return { part: responsePart(call, { output: cutResult(safe, outcome.output, maxBytes) }, inside), after };
}

function responsePart(call: FunctionCall, response: JsonObject, parts: readonly FunctionResponsePart[]): Part {
  return {
    functionResponse: {
      // An empty id is refused, and a made-up one is unknown to the service.
      ...(call.id === undefined || call.id === "" ? {} : { id: call.id }),
      name: call.name,
      response,
      ...(parts.length === 0 ? {} : { parts }),
    },
  };
}

function inlinePart({ mimeType, data, fileUri, displayName }: Media): FunctionResponsePart {
  const name = displayName === undefined ? {} : { displayName };
  return data === undefined
    ? { fileData: { mimeType, fileUri: fileUri ?? "", ...name } }
    : { inlineData: { mimeType, data, ...name } };
}

/** The most bytes that JSON makes of one character: a control character as `\u0000`. */
const WIDEST = 6;

/**
 * The value, or as much of its text as fits, with a note to the model that says so and how large the whole was.
 *
 * @param maxBytes - Of JSON in UTF-8, note not included.
 */
function cutResult(safe: JsonSafe, raw: unknown, maxBytes: number): Json {
  if (typeof raw === "string" && typeof safe.value === "string") return cutText(raw, safe.value, maxBytes);
  const complete = !safe.cut && !safe.endless;
  // Most results are far below the limit: no need to write them out to know.
  if (complete && !safe.hasRef && safe.characters * WIDEST <= maxBytes) return safe.value;
  const json = JSON.stringify(safe.value);
  if (complete && fits(json, maxBytes)) return safe.hasRef ? json : safe.value;
  const kept = takePrefix(json, maxBytes, 0);
  const whole = `${safe.endless ? "more than" : "about"} ${complete ? json.length : safe.characters}`;
  return `${kept}\n${jsonCut(kept.length, whole)}`;
}

/** Text that is cut where its JSON would grow beyond `maxBytes`. Looks at no more of it than it keeps. */
function cutText(whole: string, usable: string, maxBytes: number): string {
  if (usable.length === whole.length && usable.length * WIDEST + 2 <= maxBytes) return usable;
  const kept = takePrefix(usable, maxBytes, 2);
  if (kept.length === whole.length) return usable;
  return `${kept}\n${textCut(kept.length, whole.length)}`;
}

function fits(json: string, maxBytes: number): boolean {
  return json.length <= maxBytes && takePrefix(json, maxBytes, 0).length === json.length;
}

/** The longest start of `text` that takes at most `maxBytes`; never ends inside a character. */
function takePrefix(text: string, maxBytes: number, quotes: 0 | 2): string {
  let bytes = quotes;
  let at = 0;
  while (at < text.length) {
    const code = text.codePointAt(at) ?? 0;
    bytes += countBytes(code, quotes === 2);
    if (bytes > maxBytes) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at === text.length ? text : text.slice(0, at);
}

/** Bytes of a character in UTF-8; `escaped` as inside a JSON string. */
function countBytes(code: number, escaped: boolean): number {
  if (escaped && (code === 0x22 || code === 0x5c)) return 2;
  if (escaped && code < 0x20)
    return code === 0x08 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d ? 2 : 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
