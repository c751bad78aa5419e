import { ConfigurationError } from "../../errors/agent-error.ts";
import { isObject } from "../../internal/json.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../../wire/types/content.ts";
import { inferCapabilities, isOlderFamily } from "../capabilities.ts";

/** Options of {@link importHistory}. */
export interface ImportHistoryOptions {
  /** Id of the model that goes on with it. @defaultValue the newest generation */
  readonly model?: string | undefined;
  /**
   * Ids of calls and their responses. `"complete"` keeps those that are there and makes the missing ones up;
   * `"strip"` takes all off, for endpoints that do not know the field.
   *
   * @defaultValue "complete"
   */
  readonly ids?: "complete" | "strip" | undefined;
  /**
   * Calls without a response, and responses without a call. `"refuse"` throws and says where; `"repair"` answers such a
   * call with an error that says so, and leaves such a response out.
   *
   * @defaultValue "refuse"
   */
  readonly orphans?: "refuse" | "repair" | undefined;
}

interface Pairing {
  readonly repair: boolean;
  readonly seen: Set<string>;
}

/**
 * A history that Gemini did not write, or that comes from another model or endpoint → one that a run can go on from.
 *
 * Takes contents in Gemini's form. Neighbouring model contents become one; the responses to their calls are brought into
 * one content, in the order of the calls, under the name and id of their call, and what stood among them follows in a
 * content of its own. Signatures, thoughts and the service's own tool calls are treated as {@link prepareHistory} treats
 * foreign ones. To keep what Gemini itself wrote, hand it to a run as it is; it needs no import.
 *
 * @throws {ConfigurationError} For a role other than `user` and `model`, a content or part without data, a call before
 *   anything the user said, and for orphans; the message says where.
 * @example
 * ```ts
 * const history = importHistory([
 *   { role: "user", parts: [{ text: "Weather in Oslo?" }] },
 *   { role: "model", parts: [{ functionCall: { name: "get_weather", args: { city: "Oslo" } } }] },
 *   { role: "user", parts: [{ functionResponse: { name: "get_weather", response: { output: "4 degrees" } } }] },
 *   { role: "model", parts: [{ text: "4 degrees." }] },
 * ]);
 * const chat = agent.chat({ history });
 * ```
 */
export function importHistory(contents: readonly Content[], options: ImportHistoryOptions = {}): readonly Content[] {
  const { model, ids = "complete", orphans = "refuse" } = options;
  checkHistory(contents);
  const pairing: Pairing = { repair: orphans === "repair", seen: new Set() };
  const paired: Content[] = [];
  for (let at = 0; at < contents.length;) {
    const role = contents[at]?.role;
    let end = at;
    while (contents[end]?.role === role) end++;
    const segment = contents.slice(at, end);
    if (role === "model") {
      const said = joinContents(segment);
      let next = end;
      while (contents[next]?.role === "user") next++;
      paired.push(...answerCalls(said, contents.slice(end, next), end, pairing));
      at = next;
    } else {
      paired.push(...answerCalls(undefined, segment, at, pairing));
      at = end;
    }
  }
  const { family } = inferCapabilities(model ?? "gemini-4");
  const prepared = prepareHistory(paired, { to: { family } });
  return ids === "strip" ? prepared.map(stripIds) : prepared;
}

function joinContents(contents: readonly Content[]): Content {
  const [first] = contents;
  if (contents.length === 1 && first !== undefined) return first;
  return { role: "model", parts: contents.flatMap(({ parts }) => parts) };
}

/** Read by a model in place of a result that is lost. */
export const RESULT_NOT_RECORDED = "the result of this call was not recorded";

/** One model content, or none, and what the user said up to the next. @param start - Index of the first of those. */
function answerCalls(
  said: Content | undefined,
  replies: readonly Content[],
  start: number,
  { repair, seen }: Pairing,
): readonly Content[] {
  const calls = said?.parts.flatMap(({ functionCall }) => functionCall ?? []) ?? [];
  const left = replies.flatMap(({ parts }, i) =>
    parts.flatMap(({ functionResponse }) => (functionResponse ? [{ response: functionResponse, at: start + i }] : [])),
  );
  const ids = calls.map((call) => freshId(call.id, seen));
  const responses: Part[] = calls.map((call, i) => {
    const found = findResponse(
      call,
      left.map(({ response }) => response),
    );
    const response = found === -1 ? undefined : left.splice(found, 1)[0]?.response;
    if (response === undefined && !repair)
      throw orphanError(`the call of ${call.name} in contents[${start - 1}] has no response in the next content`);
    const { id: _id, ...rest } = response ?? { response: { error: RESULT_NOT_RECORDED } };
    return { functionResponse: { ...rest, id: ids[i], name: call.name } };
  });
  const [stray] = left;
  if (stray !== undefined && !repair)
    throw orphanError(
      `the response of ${stray.response.name || stray.response.id} in contents[${stray.at}] answers no call of the previous content`,
    );
  const others = replies.flatMap((content) => {
    const parts = content.parts.filter(({ functionResponse }) => functionResponse === undefined);
    if (parts.length === content.parts.length) return content;
    return parts.length > 0 ? { ...content, parts } : [];
  });
  return [
    ...(said === undefined ? [] : [calls.length > 0 ? withIds(said, ids) : said]),
    ...(responses.length > 0 ? [{ role: "user" as const, parts: responses }] : []),
    ...others,
  ];
}

/** By id where both have one, else the first of that name, or of none: other vendors' results have only an id. */
function findResponse(call: FunctionCall, responses: readonly FunctionResponse[]): number {
  const byId = call.id ? responses.findIndex(({ id }) => id === call.id) : -1;
  if (byId !== -1) return byId;
  return responses.findIndex(({ id, name }) => (!name || name === call.name) && (!id || !call.id));
}

/** The id, unless there is none or it was used before. */
function freshId(given: string | undefined, seen: Set<string>): string {
  const id = given && !seen.has(given) ? given : `call-${seen.size + 1}`;
  if (!seen.has(id)) {
    seen.add(id);
    return id;
  }
  return freshId(`${id}x`, seen);
}

function withIds(content: Content, ids: readonly string[]): Content {
  let next = 0;
  return mapParts(content, (part) => {
    if (part.functionCall === undefined) return part;
    const id = ids[next++];
    return part.functionCall.id === id ? part : { ...part, functionCall: { ...part.functionCall, id } };
  });
}

function orphanError(what: string): ConfigurationError {
  return new ConfigurationError(
    `The history cannot be imported: ${what}. Include both, remove both, or pass orphans: "repair".`,
  );
}

/** What to say for words other vendors use. */
const INSTEAD: Readonly<Record<string, string | undefined>> = {
  assistant: 'say "model"',
  system: "pass it to the agent as instructions",
  developer: "pass it to the agent as instructions",
  tool: 'use "user", with functionResponse parts',
  function: 'use "user", with functionResponse parts',
};

/**
 * Checks what came from elsewhere and may be anything: roles, parts, where calls and responses may stand.
 *
 * @throws {ConfigurationError} Naming the place and what to write instead.
 */
function checkHistory(contents: unknown): void {
  if (!Array.isArray(contents)) throw historyError("it", "is not a list of contents");
  let userSpoke = false;
  for (const [i, content] of contents.entries()) {
    const at = `contents[${i}]`;
    const role: unknown = isObject(content) ? content["role"] : undefined;
    if (role !== "user" && role !== "model") {
      const word = typeof role === "string" ? role : String(role);
      throw historyError(
        `${at}.role`,
        `is ${JSON.stringify(word)}; ${INSTEAD[word] ?? 'it must be "user" or "model"'}`,
      );
    }
    const parts: unknown = (content as Record<string, unknown>)["parts"];
    if (!Array.isArray(parts) || parts.length === 0)
      throw historyError(`${at}.parts`, "is not a list with at least one part");
    for (const [j, part] of parts.entries()) checkPart(part, role, `${at}.parts[${j}]`, !userSpoke);
    userSpoke ||= role === "user";
  }
}

function checkPart(part: unknown, role: "user" | "model", at: string, isFirst: boolean): void {
  if (!isObject(part) || Object.keys(part).every((key) => key === "thought" || key === "thoughtSignature"))
    throw historyError(at, "has no data, such as text");
  const call = part["functionCall"];
  const response = part["functionResponse"];
  if (call !== undefined) {
    if (role !== "model") throw historyError(at, "is a call, and only the model calls");
    if (isFirst) throw historyError(at, "is a call before any user content; put the question before it");
    if (!isObject(call) || typeof call["name"] !== "string" || call["name"] === "")
      throw historyError(`${at}.functionCall`, "has no name");
    if (call["args"] !== undefined && !isObject(call["args"]))
      throw historyError(`${at}.functionCall.args`, "is not an object; parse it, if it is JSON text");
  }
  if (response !== undefined) {
    if (role !== "user") throw historyError(at, "is a function response, and only the user's side responds");
    if (!isObject(response) || !isObject(response["response"]))
      throw historyError(`${at}.functionResponse.response`, 'is not an object; put the value under "output"');
  }
}

function historyError(at: string, problem: string): ConfigurationError {
  return new ConfigurationError(`The history cannot be imported: ${at} ${problem}.`);
}

/** Where contents came from or go to. Thought signatures are valid within one origin only. */
export interface HistoryOrigin {
  /** What tells endpoints, and projects behind them, apart: the endpoint's `baseUrl` for one. Compared, never called. */
  readonly endpoint: string;
  /** {@link ModelCapabilities.family} of the model. */
  readonly family: string;
}

/** Options of {@link prepareHistory}. */
export interface PrepareHistoryOptions {
  /** Who wrote the model contents; absent when it was no Gemini at all, or nobody knows. */
  readonly from?: HistoryOrigin | undefined;
  /** Who is to read them. Without an endpoint only the family counts, and every signature is foreign. */
  readonly to: Pick<HistoryOrigin, "family"> & Partial<HistoryOrigin>;
}

/**
 * Makes a history fit for another model, key or endpoint than the one that wrote it.
 *
 * Within one endpoint and family nothing changes. Across them signatures are foreign, and one of them stops a
 * conversation for good. They are taken off; the first call of each model content, which Gemini 3 and newer must find
 * signed, gets the placeholder that the service takes instead. Thoughts are left out, and so are the service's own tool
 * calls and their responses, which are nothing without their signature. Older families and Gemma get no signature at all.
 *
 * @returns New contents; those that did not have to change are the same objects, and with nothing to change so is the list.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function prepareHistory(contents: readonly Content[], { from, to }: PrepareHistoryOptions): readonly Content[] {
  const isForeign = from === undefined || from.endpoint !== to.endpoint || from.family !== to.family;
  const isSigned = !isOlderFamily(to.family);
  const turn = findCurrentTurn(contents);
  const prepared = contents.flatMap((content, i) => {
    if (content.role !== "model") return content;
    const own = isForeign ? withoutForeign(content) : content;
    if (own === undefined) return [];
    // What a model of the same origin left unsigned in earlier turns stays as it was sent.
    return isSigned && (isForeign || i >= turn) ? signFirstCall(own) : own;
  });
  return prepared.length === contents.length && prepared.every((content, i) => content === contents[i])
    ? contents
    : prepared;
}

/** Without what only its writer can read; `undefined` when nothing else was in it. */
function withoutForeign(content: Content): Content | undefined {
  const own = mapParts(content, (part) => {
    if (part.thought === true || part.toolCall !== undefined || part.toolResponse !== undefined) return [];
    if (part.thoughtSignature === undefined) return part;
    const { thoughtSignature: _signature, ...unsigned } = part;
    return isEmptyText(part) ? [] : unsigned;
  });
  return own.parts.length === 0 ? undefined : own;
}

/** An empty text is only there to carry its signature. */
function isEmptyText(part: Part): boolean {
  return part.text === "" && Object.keys(part).every((key) => key === "text" || key === "thoughtSignature");
}

/**
 * Signature that the service takes in place of one of its own, on all surfaces.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export const PLACEHOLDER_SIGNATURE = "skip_thought_signature_validator";

/** Index of the first content after the last one that a user wrote. Only there are signatures checked. */
export function findCurrentTurn(contents: readonly Content[]): number {
  return (
    contents.findLastIndex(
      ({ role, parts }) => role === "user" && parts.some((part) => part.functionResponse === undefined),
    ) + 1
  );
}

/** With the dummy on the first call, if that has no signature; the content itself otherwise. */
export function signFirstCall(content: Content): Content {
  const first = content.parts.findIndex((part) => part.functionCall !== undefined);
  const call = content.parts[first];
  // An empty signature is none.
  if (content.role !== "model" || call === undefined || call.thoughtSignature) return content;
  return { ...content, parts: content.parts.with(first, { ...call, thoughtSignature: PLACEHOLDER_SIGNATURE }) };
}

/** Without the ids of calls and responses. */
export function stripIds(content: Content): Content {
  return mapParts(content, (part) => {
    const { functionCall, functionResponse } = part;
    if (functionCall?.id !== undefined) {
      const { id: _id, ...call } = functionCall;
      return { ...part, functionCall: call };
    }
    if (functionResponse?.id === undefined) return part;
    const { id: _id, ...response } = functionResponse;
    return { ...part, functionResponse: response };
  });
}

/** The content with each part changed, or left out; the content itself when none changes. */
export function mapParts(content: Content, change: (part: Part) => Part | readonly []): Content {
  const parts = content.parts.flatMap(change);
  return parts.length === content.parts.length && parts.every((part, i) => part === content.parts[i])
    ? content
    : { ...content, parts };
}
