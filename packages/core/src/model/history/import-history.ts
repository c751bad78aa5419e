import { ConfigurationError } from "../../errors/agent-error.ts";
import { asObject, isObject } from "../../internal/json.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../../wire/types/content.ts";
import { inferCapabilities, isOlderFamily } from "../../wire/known-models.ts";
import { checkContentsDepth } from "../request/check-contents.ts";
import { findCurrentTurn, mapParts, signFirstCall, stripIds, withoutResponses } from "./change-calls.ts";
import { endOfSide, readCalls, responsesIn } from "./open-calls.ts";

/** Options of {@link importHistory}. */
export interface ImportHistoryOptions {
  /** ID of the model that continues it. @defaultValue the newest generation */
  readonly model?: string | undefined;
  /** IDs of calls and their responses: `"complete"` generates the missing ones; `"strip"` removes all. @defaultValue "complete" */
  readonly ids?: "complete" | "strip" | undefined;
  /**
   * Calls without a response, and responses without a call. `"refuse"` throws and names the place; `"repair"` answers such calls with an
   * error and drops such responses. @defaultValue "refuse"
   */
  readonly orphans?: "refuse" | "repair" | undefined;
}

/**
 * Converts a history that Gemini did not write, or that comes from another model or endpoint, into one that a run can continue: contents in
 * Gemini's format. Adjacent model contents are joined; the responses to their calls move into one content, in the order of the calls, with
 * their names and IDs, and other parts follow in separate contents. Signatures, thoughts and the service's own tool calls are treated as
 * foreign, see {@link prepareHistory}. A history that Gemini wrote needs no import.
 * @throws {ConfigurationError} For a role other than `user` and `model`, a content or part without data, a call before any user content,
 * orphans, and a content that nests more than 500 levels; the message names the place.
 * @example
 * ```ts
 * const history = importHistory([
 *   { role: "user", parts: [{ text: "Weather in Oslo?" }] },
 *   { role: "model", parts: [{ functionCall: { name: "get_weather", args: { city: "Oslo" } } }] },
 *   { role: "user", parts: [{ functionResponse: { name: "get_weather", response: { output: "4 degrees" } } }] },
 *   { role: "model", parts: [{ text: "4 degrees." }] },
 * ]);
 * const chat = agent.session({ history });
 * ```
 */
export function importHistory(given: readonly ContentInput[], options: ImportHistoryOptions = {}): readonly Content[] {
  const { model, ids = "complete", orphans = "refuse" } = options;
  checkHistory(given);
  checkContentsDepth(given);
  const seen = new Set<string>();
  const paired: Content[] = [];
  for (let at = 0; at < given.length;) {
    const replying = endOfSide(given, at, true);
    const next = endOfSide(given, replying, false);
    const calling = given.slice(at, replying);
    const [first] = calling;
    const joined: Content =
      first !== undefined && calling.length === 1
        ? first
        : { role: "model", parts: calling.flatMap(({ parts }) => parts) };
    paired.push(...answerCalls(joined, given.slice(replying, next), replying, orphans === "repair", seen));
    at = next;
  }
  const { family } = inferCapabilities(model ?? "gemini-4");
  const prepared = prepareHistory(paired, { to: { family } });
  return ids === "strip" ? prepared.map(stripIds) : prepared;
}

/** What a model reads in place of a lost result. */
export const RESULT_NOT_RECORDED = "the result of this call was not recorded";

/** Pairs one model content, perhaps without parts, with the user contents that follow. @param start - Index of the first of these. */
function answerCalls(
  calling: Content,
  replies: readonly Content[],
  start: number,
  repair: boolean,
  seen: Set<string>,
): readonly Content[] {
  const made = readCalls([calling]);
  const ids = made.map(({ call }) => freshId(call.id, seen));
  const idOfOwn = new Map(made.map(({ response }, i) => [response, ids[i]]));
  const isStray = ({ functionResponse }: Part): boolean =>
    functionResponse !== undefined && !idOfOwn.has(functionResponse);
  const strayOwn = calling.parts.find(isStray)?.functionResponse;
  if (strayOwn !== undefined && !repair)
    throw orphanError(
      `the model's response of ${strayOwn.name || strayOwn.id} in contents[${start - 1}] answers no call before it`,
    );
  const left = replies.flatMap((reply, i) => responsesIn(reply).map((response) => ({ response, at: start + i })));
  const responses = made.flatMap(({ call, response: own }, i): Part | readonly [] => {
    if (own !== undefined) return [];
    const found = findResponse(call, left);
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
  let at = 0;
  const called = mapParts(calling, (part) => {
    if (isStray(part)) return [];
    const { functionCall: call, functionResponse: own } = part;
    const id = call ? ids[at++] : own && idOfOwn.get(own);
    if ((call ?? own)?.id === id) return part;
    return { ...part, ...(call ? { functionCall: { ...call, id } } : own && { functionResponse: { ...own, id } }) };
  });
  return [
    ...(called.parts.length > 0 ? [called] : []),
    ...(responses.length > 0 ? [{ role: "user" as const, parts: responses }] : []),
    ...replies.flatMap(withoutResponses),
  ];
}

/** Matches by ID if both have one, else by name. A response without a name fits any call: other vendors' results have only an ID. */
function findResponse(call: FunctionCall, left: readonly { readonly response: FunctionResponse }[]): number {
  const byId = call.id ? left.findIndex(({ response }) => response.id === call.id) : -1;
  if (byId !== -1) return byId;
  return left.findIndex(({ response: { id, name } }) => (!name || name === call.name) && (!id || !call.id));
}

/** The ID, or a new one if it is absent or already used. */
function freshId(given: string | undefined, seen: Set<string>): string {
  let id = given && !seen.has(given) ? given : `call-${seen.size + 1}`;
  while (seen.has(id)) id += "x";
  seen.add(id);
  return id;
}

function orphanError(what: string): ConfigurationError {
  return new ConfigurationError(
    `The history cannot be imported: ${what}. Include both, remove both, or pass orphans: "repair".`,
  );
}

/** Checks foreign contents, which can be anything: roles, parts, and the places of calls and responses. */
function checkHistory(contents: unknown): asserts contents is readonly Content[] {
  if (!Array.isArray(contents)) throw historyError("it", "is not a list of contents");
  let userSpoke = false;
  for (const [i, content] of contents.entries()) {
    const at = `contents[${i}]`;
    const role: unknown = isObject(content) ? content["role"] : undefined;
    if (role !== "user" && role !== "model") {
      const word = String(role);
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
  if (response !== undefined && !isObject(asObject(response)["response"]))
    throw historyError(`${at}.functionResponse.response`, 'is not an object; put the value under "output"');
}

function historyError(at: string, problem: string): ConfigurationError {
  return new ConfigurationError(`The history cannot be imported: ${at} ${problem}.`);
}

/** A part as `Part`, or as Google's SDK types it: with every member optional. */
export interface PartInput extends Optional<Part> {}

/** A content as `Content`, or as Google's SDK types it: with every member optional, and any string as its role. */
export interface ContentInput {
  /** `user` or `model`. @defaultValue "user" */
  readonly role?: string | undefined;
  /** @defaultValue none: the content is left out */
  readonly parts?: readonly PartInput[] | undefined;
}

type Optional<T> = T extends readonly (infer Item)[]
  ? readonly Optional<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]?: Optional<T[Name]> | undefined }
    : T;

/** Contents as the API takes them; contents without parts are left out. @throws {TypeError} For a message of another format or role. */
export function readContents(contents: readonly ContentInput[]): readonly Content[] {
  return contents.flatMap((content, index) => (isContent(content) ? content : readContent(content, index)));
}

function isContent(content: ContentInput): content is Content {
  return (content.role === "user" || content.role === "model") && Array.isArray(content.parts);
}

function readContent(content: ContentInput, index: number): readonly Content[] {
  const { role = "user", parts } = content;
  const where = `contents[${index}]`;
  if (role !== "user" && role !== "model")
    throw new TypeError(`${where} has the role "${role}": ${INSTEAD[role] ?? 'use "user" or "model"'}`);
  const read = { role, parts };
  if (isContent(read)) return [read];
  if (!("content" in content) && (parts === undefined || parts === null)) return [];
  throw new TypeError(`${where} has no list of parts: write { role: "${role}", parts: [{ text: "…" }] }`);
}

/** Advice for roles of other vendors. */
const INSTEAD: Readonly<Record<string, string | undefined>> = {
  assistant: 'use "model"',
  system: "pass it to the agent as instructions",
  developer: "pass it to the agent as instructions",
  tool: 'use "user", with functionResponse parts',
  function: 'use "user", with functionResponse parts',
};

/** Origin or destination of contents. Thought signatures are valid within one origin only. */
export interface HistoryOrigin {
  /** Identifies the endpoint and the project behind it, such as the endpoint's `baseUrl`. Only compared. */
  readonly endpoint: string;
  /** {@link ModelCapabilities.family} of the model. */
  readonly family: string;
}

/** Options of {@link prepareHistory}. */
export interface PrepareHistoryOptions {
  /** Who wrote the model contents; absent if unknown or not Gemini. */
  readonly from?: HistoryOrigin | undefined;
  /** Who will read them. Without an endpoint, every signature is foreign. */
  readonly to: Pick<HistoryOrigin, "family"> & Partial<HistoryOrigin>;
}

/**
 * Adapts a history to a different model, key or endpoint than the one that wrote it. Within one endpoint and family nothing changes.
 * Elsewhere signatures are removed; the first call of each model content gets the placeholder that the service accepts instead. Thoughts
 * are dropped, and so are the service's own tool calls and their responses. Older families and Gemma get no signatures.
 * @returns New contents; unchanged ones are the same objects, and so is the list if nothing changes.
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
    // Earlier turns of the same origin stay as they were sent, even if unsigned.
    return isSigned && (isForeign || i >= turn) ? signFirstCall(own) : own;
  });
  return prepared.length === contents.length && prepared.every((content, i) => content === contents[i])
    ? contents
    : prepared;
}

/** Drops parts and signatures that are valid only at their origin; `undefined` if nothing remains. */
function withoutForeign(content: Content): Content | undefined {
  const own = mapParts(content, (part) => {
    if (part.thought === true || part.toolCall !== undefined || part.toolResponse !== undefined) return [];
    if (part.thoughtSignature === undefined) return part;
    const { thoughtSignature: _signature, ...unsigned } = part;
    // An empty text only carries its signature.
    return unsigned.text === "" && Object.keys(unsigned).length === 1 ? [] : unsigned;
  });
  return own.parts.length === 0 ? undefined : own;
}
