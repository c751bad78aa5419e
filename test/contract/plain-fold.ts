import { plainValues } from "./plain-values.ts";
import { methodOf } from "./read-recording.ts";
import { type Exchange, isAnswered, isJson, type Json } from "./recordings.ts";

/**
 * Body of a recorded answer → its JSON objects, read in the simplest way.
 *
 * @throws {SyntaxError} For a body that is neither JSON nor lines of `data: {…}`.
 */
export function chunksOf({ responseBody, framing }: Exchange): readonly Json[] {
  if (framing !== "sse") return ([JSON.parse(responseBody)].flat() as Json[]).map(plainValues);
  const lines = responseBody.split(/\r\n|\n|\r/);
  const data = lines
    .filter((line) => line.startsWith("data:") && line.slice("data:".length).trim() !== "[DONE]")
    .map((line) => plainValues(JSON.parse(line.slice("data:".length)) as Json));
  return [...data, ...bareIn(lines)];
}

/** An object on its own lines between events: an error from a proxy. */
function bareIn(lines: readonly string[]): readonly Json[] {
  const bare = lines.filter((line) => !/^(?:data|event|id|retry)?:/.test(line)).join("\n");
  return bare.trimStart().startsWith("{") ? [JSON.parse(bare) as Json] : [];
}

/** Chunks that came before an error. */
export function chunksBeforeError(exchange: Exchange): readonly Json[] {
  const chunks = chunksOf(exchange);
  const at = chunks.findIndex(isError);
  return at < 0 ? [] : chunks.slice(0, at);
}

/** The answer of an exchange, or why there is none to compare. */
export type ReadAnswer =
  | { readonly chunks: readonly Json[]; readonly answer: PlainAnswer }
  | { readonly without: string };

/** Reason for nothing to compare: the service failed midway. */
export const INSIDE = "an error inside a 200";

/** Reason for nothing to compare: the body is cut off or damaged. */
export const NOT_WHOLE = "a body that is not whole JSON";

/** Reads and folds the answer of an exchange. */
export function readAnswer(exchange: Exchange): ReadAnswer {
  if (!isAnswered(exchange)) return { without: "an error" };
  const method = methodOf(exchange.path) ?? "generateContent";
  if (!ANSWERING.has(method)) return { without: `another method: ${method}` };
  try {
    const chunks = chunksOf(exchange);
    return chunks.some(isError) ? { without: INSIDE } : { chunks, answer: plainFold(chunks) };
  } catch (error) {
    if (error instanceof SyntaxError) return { without: NOT_WHOLE };
    throw error;
  }
}

const ANSWERING: ReadonlySet<string> = new Set(["generateContent", "streamGenerateContent"]);

/** True for an error object in place of an answer. */
export function isError(chunk: Json): boolean {
  return isJson(chunk["error"]);
}

/** Whole chunks of a cut-off or damaged body, as far as `data:` lines separate them. */
export function wholeChunksOf({ responseBody, framing }: Exchange): readonly Json[] {
  if (framing !== "sse") return [];
  return responseBody.split(/\r\n|\n|\r/).flatMap((line) => {
    try {
      return line.startsWith("data:") ? [plainValues(JSON.parse(line.slice("data:".length)) as Json)] : [];
    } catch {
      return [];
    }
  });
}

/** A folded recorded answer. */
export interface PlainAnswer {
  /** All parts of candidate 0, in order; neighboring plain text of one kind joined, streamed arguments put together. */
  readonly parts: readonly Json[];
  /** The last non-empty value of every other field of the content, except its role. */
  readonly content: Json;
  /** The last finish reason, as a word. */
  readonly finishReason: string | undefined;
  /** The last non-empty value of every other field of the candidate. */
  readonly candidate: Json;
  /** The last non-empty value of every other field of the answer. */
  readonly envelope: Json;
  readonly blockReason: string | undefined;
}

/** Folds an answer without any of the library's code: a slow and obvious reference. */
export function plainFold(chunks: readonly Json[]): PlainAnswer {
  const candidates = chunks.map(candidateOf).filter((candidate) => candidate !== undefined);
  const contents = candidates.map((candidate) => candidate["content"]).filter(isJson);
  const { parts: _parts, role: _role, ...content } = lastWords(contents);
  const parts = contents.flatMap((one) => (one["parts"] ?? []) as readonly Json[]);
  const { content: _content, ...candidate } = lastWords(candidates);
  const { candidates: _candidates, ...envelope } = lastWords(chunks);
  if (candidate["finishReason"] !== undefined) candidate["finishReason"] = finishWord(candidate["finishReason"]);
  const feedback = envelope["promptFeedback"];
  return {
    parts: joinText(assembleCalls(parts)),
    content,
    finishReason: candidate["finishReason"] as string | undefined,
    candidate,
    envelope,
    blockReason: isJson(feedback) && typeof feedback["blockReason"] === "string" ? feedback["blockReason"] : undefined,
  };
}

/** Joins neighboring pure text parts of the same kind. */
export function joinText(parts: readonly Json[]): readonly Json[] {
  const joined: Json[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last !== undefined && isPlain(last) && isPlain(part) && last["thought"] === part["thought"])
      joined[joined.length - 1] = { ...last, text: `${String(last["text"])}${String(part["text"])}` };
    else joined.push(part);
  }
  return joined;
}

/** Text of the parts that are not thoughts; with `thoughts`, of the ones that are. */
export function textOf(parts: readonly Json[], thoughts = false): string {
  return parts
    .filter((part) => (part["thought"] === true) === thoughts)
    .map(({ text }) => (typeof text === "string" ? text : ""))
    .join("");
}

/** Calls of an answer, in order. */
export function callsOf(parts: readonly Json[]): readonly Json[] {
  return parts.map((part) => part["functionCall"]).filter(isJson);
}

/** Why an answer doesn't belong in the history; `undefined` if it does. */
export function whyUnusable({ parts, finishReason }: PlainAnswer): string | undefined {
  if (finishReason === undefined) return "no answer: without a finish reason";
  if (parts.length === 0) return "no answer: without parts";
  if (finishReason === "UNEXPECTED_TOOL_CALL" && callsOf(parts).length > 0) return undefined;
  if (finishReason !== "STOP" && finishReason !== "MAX_TOKENS") return `no answer to go on from: ${finishReason}`;
  const hasData = parts.some((part) => Object.keys(part).some((key) => DATA.has(key)));
  if (textOf(parts).trim() === "" && !hasData) return "no answer: nothing but thoughts, or nothing";
  const isCut = finishReason === "MAX_TOKENS" && textOf(parts) === "" && callsOf(parts).length === 0;
  return isCut ? "no answer: cut off before it began" : undefined;
}

const DATA = new Set(["functionCall", "inlineData", "fileData", "executableCode", "codeExecutionResult"]);

function isPlain(part: Json): boolean {
  return typeof part["text"] === "string" && Object.keys(part).every((key) => key === "text" || key === "thought");
}

function candidateOf(chunk: Json): Json | undefined {
  const candidates = (chunk["candidates"] ?? []) as readonly Json[];
  return candidates.find((candidate) => (candidate["index"] ?? 0) === 0);
}

/** The last non-empty value of each field, in the order of first appearance. */
function lastWords(objects: readonly Json[]): Record<string, unknown> {
  const words: Record<string, unknown> = {};
  for (const object of objects) {
    for (const [key, value] of Object.entries(object)) {
      const silent = value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
      if (!silent || !(key in words)) words[key] = value;
    }
  }
  return words;
}

/** Older Vertex clients request numbers. */
function finishWord(reason: unknown): string {
  const words = ["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];
  return typeof reason === "number" ? (words[reason] ?? String(reason)) : String(reason);
}

/** Joins calls with streamed arguments; leaves everything else unchanged. */
function assembleCalls(parts: readonly Json[]): readonly Json[] {
  const whole: Json[] = [];
  let open: { readonly at: number; readonly args: Record<string, unknown> } | undefined;
  for (const part of parts) {
    const call = part["functionCall"];
    if (!isJson(call)) {
      whole.push(part);
      continue;
    }
    const pieces = (call["partialArgs"] ?? []) as readonly Json[];
    if (call["name"] === undefined && open !== undefined) {
      for (const piece of pieces) place(open.args, piece);
      if (call["willContinue"] !== true) open = undefined;
      continue;
    }
    open = undefined;
    if (call["willContinue"] !== true && call["partialArgs"] === undefined) {
      whole.push(part);
      continue;
    }
    const { partialArgs: _pieces, willContinue: more, ...rest } = call;
    const args: Record<string, unknown> = {};
    for (const piece of pieces) place(args, piece);
    whole.push({ ...part, functionCall: { ...rest, args } });
    if (more === true) open = { at: whole.length - 1, args };
  }
  return whole;
}

function place(args: Record<string, unknown>, piece: Json): void {
  const steps =
    String(piece["jsonPath"])
      .slice(1)
      .match(/[^.[\]]+/g) ?? [];
  let holder = args;
  for (const [i, step] of steps.slice(0, -1).entries()) {
    holder[step] ??= /^\d+$/.test(steps[i + 1] ?? "") ? [] : {};
    holder = holder[step] as Record<string, unknown>;
  }
  const last = steps.at(-1) ?? "";
  const before = holder[last];
  if ("stringValue" in piece)
    holder[last] = `${typeof before === "string" ? before : ""}${String(piece["stringValue"])}`;
  else if ("numberValue" in piece) holder[last] = piece["numberValue"];
  else if ("boolValue" in piece) holder[last] = piece["boolValue"];
  else if ("nullValue" in piece) holder[last] = null;
}
