import { ConfigurationError } from "../../errors/agent-error.ts";
import { RequestEncoder } from "../../wire/http/encode-request.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../../wire/types/content.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import { isOlderFamily, type ModelCapabilities } from "../capabilities.ts";
import type { HealMemory } from "../heal/heal.ts";
import type { ModelRequest } from "../model.ts";
import { buildHead, buildRequest, type RequestFacts, type RequestHead } from "../request/build-request.ts";
import { isAnswerTo, readCalls } from "./open-calls.ts";

/**
 * State kept from one request of a conversation to the next, so that a turn does not check, build and serialize a long history
 * again. Contents are remembered by identity and must not be modified once sent.
 */
export class Conversation {
  readonly encoder: RequestEncoder = new RequestEncoder();
  readonly heals: HealMemory = { answered: undefined, active: new Set(), memos: new Map() };
  /** Contents of the last request, as sent; all of them were checked. */
  #seen: readonly Content[] = [];
  /** Where their last turn begins; later contents may extend it. */
  #lastTurn = 0;
  readonly #split = new WeakMap<Content, readonly Content[]>();
  #last: ModelRequest | undefined;
  #head: RequestHead = {};

  /** @throws {ConfigurationError} For a request that cannot be sent. */
  buildRequest(request: ModelRequest, facts: RequestFacts): GenerateContentRequest {
    const contents = this.#prepare(request.contents, facts);
    return buildRequest({ ...request, contents }, facts, this.#findHead(request, facts));
  }

  /** The contents to send: checked, and with nothing after function responses. */
  #prepare(contents: readonly Content[], { capabilities }: RequestFacts): readonly Content[] {
    let known = countShared(this.#seen, contents);
    let prepared = contents;
    if (contents.slice(known).some(isMixed)) {
      prepared = contents.flatMap((content) => this.#splitMixed(content));
      known = countShared(this.#seen, prepared);
    }
    this.#lastTurn = checkPairing(prepared, capabilities, known > this.#lastTurn ? this.#lastTurn : 0);
    this.#seen = prepared.slice();
    return prepared;
  }

  /**
   * Moves parts after function responses into another `user` content: the service rejects such parts, or treats the model as the
   * last speaker. A content is always split into the same objects.
   */
  #splitMixed(content: Content): readonly Content[] {
    if (!isMixed(content)) return [content];
    const known = this.#split.get(content);
    if (known !== undefined) return known;
    const first = content.parts.findIndex((part) => part.functionResponse !== undefined);
    const stays = (part: Part, i: number): boolean => i < first || part.functionResponse !== undefined;
    const split = [
      { ...content, parts: content.parts.filter(stays) },
      { ...content, parts: content.parts.filter((part, i) => !stays(part, i)) },
    ];
    this.#split.set(content, split);
    return split;
  }

  #findHead(request: ModelRequest, facts: RequestFacts): RequestHead {
    const { instructions, functions, builtIns, calling }: Partial<ModelRequest> = this.#last ?? {};
    const isSame =
      instructions === request.instructions &&
      functions === request.functions &&
      builtIns === request.builtIns &&
      (calling?.mode === "NONE") === (request.calling?.mode === "NONE");
    if (!isSame) this.#head = buildHead(request, facts);
    this.#last = request;
    return this.#head;
  }
}

/** Length of the common prefix. */
function countShared(seen: readonly Content[], contents: readonly Content[]): number {
  let shared = 0;
  while (shared < seen.length && seen[shared] === contents[shared]) shared++;
  return shared;
}

/** True for parts after function responses; before them, others are allowed. The model's own contents stay whole. */
function isMixed({ role, parts }: Content): boolean {
  if (role === "model") return false;
  let hasResponse = false;
  for (const { functionResponse } of parts) {
    if (functionResponse !== undefined) hasResponse = true;
    else if (hasResponse) return true;
  }
  return false;
}

/**
 * Checks that the responses to the calls of a turn are in the `user` content right after it, with the same names and IDs, and nowhere
 * else: the service rejects a mismatch at best; newer models return an empty answer. Older families accept responses spread over
 * several contents, and any name. Calls that the service answered itself need none, see {@link readCalls}.
 *
 * @param start - Where a turn begins; earlier contents are not checked.
 * @returns Where the last turn begins; later contents may extend it.
 * @throws {ConfigurationError} Naming the content at fault.
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export function checkPairing(
  contents: readonly Content[],
  { family }: Pick<ModelCapabilities, "family">,
  start = 0,
): number {
  const isStrict = !isOlderFamily(family);
  let turn = start;
  for (let at = start; at < contents.length;) {
    turn = at;
    let answering = at;
    // Adjacent model contents are one turn.
    while (contents[answering]?.role === "model") answering++;
    const made = readCalls(contents.slice(at, answering));
    if (at === 0 && made.length > 0)
      throw pairingError(
        `contents[0] calls ${listNames(made.map(({ call }) => call))} before any user content; start with the user's question`,
      );
    const calls: FunctionCall[] = [];
    for (const { call, response } of made) if (response === undefined) calls.push(call);
    const responses: FunctionResponse[] = [];
    let next = answering;
    for (; next < contents.length && contents[next]?.role !== "model"; next++) {
      const before = responses.length;
      for (const { functionResponse } of contents[next]?.parts ?? [])
        if (functionResponse) responses.push(functionResponse);
      const isLate = next > answering && isStrict;
      if (responses.length > before && (calls.length === 0 || isLate))
        throw orphanError(responses.slice(before), next, calls.length > 0);
    }
    if (responses.length < calls.length) {
      const found =
        responses.length === 0
          ? "the next content contains no response"
          : `only ${responses.length} of ${calls.length} are answered (${listNames(responses)})`;
      throw pairingError(
        `contents[${answering - 1}] calls ${listNames(calls)}, and ${found}; answer every call, including failed ones`,
      );
    }
    if (responses.length > calls.length) throw orphanError(responses.slice(calls.length), next - 1, false);
    const stray = isStrict && findStray(calls, responses);
    if (stray)
      throw pairingError(
        `contents[${answering}] answers ${describeCall(stray)}, and contents[${answering - 1}] calls ${calls.map(describeCall).join(", ")}; copy the call's name and id`,
      );
    at = next;
  }
  return turn;
}

/** The first response without a call; two calls with the same name and ID need two responses. */
function findStray(
  calls: readonly FunctionCall[],
  responses: readonly FunctionResponse[],
): FunctionResponse | undefined {
  const open = [...calls];
  return responses.find((response) => {
    const at = open.findIndex((call) => isAnswerTo(response, call));
    if (at !== -1) open.splice(at, 1);
    return at === -1;
  });
}

function orphanError(responses: readonly FunctionResponse[], at: number, isSpread: boolean): ConfigurationError {
  return pairingError(
    isSpread
      ? `contents[${at}] answers ${listNames(responses)} separately from the others; put all responses of one turn into one content`
      : `contents[${at}] answers ${listNames(responses)}, which the previous content does not call; remove the response, or cut the history at a user's question`,
  );
}

function pairingError(what: string): ConfigurationError {
  return new ConfigurationError(
    `The history cannot be sent: ${what}. importHistory() with orphans: "repair" repairs it.`,
  );
}

/** Names of calls or responses, for messages. */
export function listNames(list: readonly { readonly name?: string | undefined }[]): string {
  return list.map(({ name }) => name || "(no name)").join(", ");
}

/** Name and ID of a call or response, for messages. */
export function describeCall({ id, name }: { readonly id?: string | undefined; readonly name: string }): string {
  return id ? `${name} (id ${id})` : name;
}
