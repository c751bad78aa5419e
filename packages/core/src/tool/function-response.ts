import type { FunctionCall, FunctionResponsePart, JsonObject, Part } from "../wire/content.ts";
import { cutResult, cutText } from "./cut-result.ts";
import { jsonSafe } from "./json-safe.ts";
import { type Media, mediaPart } from "./media.ts";
import type { ToolOutcome } from "./tool-outcome.ts";

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
    if (options.mediaInFunctionResponses && IN_RESPONSE.has(media.mimeType)) inside.push(insideOf(media));
    else
      after.push(
        {
          text: `[media ${index + 1}] of the result of ${call.name}${call.id === undefined ? "" : ` (call ${call.id})`}:`,
        },
        mediaPart(media),
      );
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

function insideOf({ mimeType, data, fileUri, displayName }: Media): FunctionResponsePart {
  const name = displayName === undefined ? {} : { displayName };
  return data === undefined
    ? { fileData: { mimeType, fileUri: fileUri ?? "", ...name } }
    : { inlineData: { mimeType, data, ...name } };
}
