import { isFields } from "../internal/json.ts";
import type { Answer } from "./answer.ts";
import type { Brain, BrainTurn } from "./brain.ts";
import { firstDifference } from "./difference.ts";
import { loadRecording, type RecordedExchange, type Recording } from "./recording.ts";

/**
 * Answers with recorded traffic. A request gets the answer of the first unused exchange with the same model, operation and
 * contents; an exchange recorded without its request goes to whoever is next. Anything else is refused with a 400 that
 * names the first difference. Compared are model, operation and the whole body after unifying spelling: snake_case and
 * camelCase, absent roles, empty and null fields. Signatures count in either alphabet, ids as they came.
 *
 * @param source A recording, or the path of a file or folder with recordings.
 */
export function replay(source: string | Recording): Brain {
  const used = new Set<number>();
  const loading = typeof source === "string" ? loadRecording(source) : Promise.resolve(source);
  // A missing file is reported to the request that needs it, not as an unhandled rejection.
  loading.catch(() => {});
  return {
    // They are compared with the recorded ones like everything else.
    anySignature: true,
    async answer(turn) {
      const { exchanges } = await loading;
      const fits = exchanges.map((exchange, index) => ({ exchange, index, difference: differenceOf(exchange, turn) }));
      const unused = fits.filter(({ index }) => !used.has(index));
      const found =
        unused.find(({ difference }) => difference === undefined) ??
        fits.find(({ difference }) => difference === undefined);
      if (found === undefined) throw new Error(whyNot(unused[0], exchanges.length, turn));
      used.add(found.index);
      return recordedAnswer(found.exchange, turn);
    },
  };
}

function differenceOf(exchange: RecordedExchange, turn: BrainTurn): string | undefined {
  const recordedOperation = operationOf(exchange);
  const operation = turn.streamed ? "streamGenerateContent" : "generateContent";
  if (recordedOperation !== undefined && recordedOperation !== operation)
    return `the operation was ${recordedOperation} and is now ${operation}`;
  const { request } = exchange;
  if (!isFields(request)) return undefined;
  const model = modelOf(exchange);
  const current = modelIn(turn.path);
  if (model !== undefined && current !== undefined && model !== current)
    return `the model was ${model} and is now ${current}`;
  return firstDifference(normalise(request), normalise(turn.raw));
}

function operationOf({ path, responseHeaders, responseBody }: RecordedExchange): string | undefined {
  const named = /:(\w+)(?:\?|$)/.exec(path ?? "")?.[1];
  if (named !== undefined) return named;
  const type = responseHeaders?.["content-type"] ?? "";
  return type.includes("event-stream") || responseBody.startsWith("data:") ? "streamGenerateContent" : undefined;
}

function modelOf({ path, model }: RecordedExchange): string | undefined {
  return modelIn(path ?? "") ?? model ?? undefined;
}

function modelIn(path: string): string | undefined {
  return /models\/([^/:?]+)/.exec(path)?.[1];
}

// Holders of free-form JSON: their keys are data, not field names.
const FREE_FORM = new Set([
  "args",
  "response",
  "properties",
  "parametersJsonSchema",
  "responseJsonSchema",
  "labels",
  "$defs",
]);

/** One spelling for what the service takes in several. */
function normalise(value: unknown, free = false): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item, free));
  if (!isFields(value)) return value;
  const entries = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    if (free) return [[key, key === "type" && typeof item === "string" ? item.toUpperCase() : normalise(item, true)]];
    const name = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const isAbsent =
      item === null ||
      (name === "thought" && item === false) ||
      (name === "role" && item === "user") ||
      isEmpty(item, name);
    if (isAbsent) return [];
    const list = name === "parts" && isFields(item) ? [item] : item;
    // Python clients send signatures back in the URL-safe alphabet.
    if (name === "thoughtSignature" && typeof item === "string")
      return [[name, Buffer.from(item, "base64").toString("base64")]];
    if (typeof list === "string") return [[name, name === "type" || name === "mode" ? list.toUpperCase() : list]];
    return [[name, normalise(list, FREE_FORM.has(name))]];
  });
  return Object.fromEntries(entries);
}

function isEmpty(item: unknown, name: string): boolean {
  // An empty object names a built-in tool, and empty arguments are arguments.
  return Array.isArray(item) && item.length === 0 && name !== "parts" && name !== "contents";
}

function whyNot(
  next:
    | { readonly exchange: RecordedExchange; readonly index: number; readonly difference: string | undefined }
    | undefined,
  count: number,
  turn: BrainTurn,
): string {
  if (next === undefined)
    return `All ${count} recorded exchanges have been replayed and this is request ${turn.number}.`;
  return `The request differs from recorded exchange ${next.index + 1} of ${count}: ${next.difference ?? "unknown"}.`;
}

function recordedAnswer({ status, responseHeaders, responseBody }: RecordedExchange, turn: BrainTurn): Answer {
  const contentType =
    responseHeaders?.["content-type"] ?? (turn.streamed ? "text/event-stream" : "application/json; charset=UTF-8");
  return { parts: [], recorded: { status, contentType, body: responseBody } };
}
