import { ConfigurationError } from "../../errors/agent-error.ts";
import { RequestEncoder } from "../../wire/http/encode-request.ts";
import type { Content, FunctionCall, FunctionResponse } from "../../wire/types/content.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import { isOlderFamily, type ModelCapabilities } from "../capabilities.ts";
import { HealMemory } from "../heal/heal.ts";
import type { ModelRequest } from "../model.ts";
import {
  buildHead,
  buildRequest,
  type HeadSource,
  type RequestFacts,
  type RequestHead,
} from "../request/build-request.ts";

/**
 * What is kept from one request of a conversation to the next, so that a long history is not gone through, built or serialized
 * again with each turn. Contents are remembered by identity: one must not be changed after it was sent.
 */
export class Conversation {
  readonly encoder: RequestEncoder = new RequestEncoder();
  readonly heals: HealMemory = new HealMemory();
  /** Contents of the last request, as they are sent; all of them were checked. */
  #seen: readonly Content[] = [];
  /** Where their last turn begins, which more contents may have joined since. */
  #lastTurn = 0;
  readonly #split = new WeakMap<Content, readonly Content[]>();
  #headSource: HeadSource | undefined;
  #head: RequestHead = {};

  /** @throws {ConfigurationError} For what cannot be sent. */
  buildRequest(request: ModelRequest, facts: RequestFacts): GenerateContentRequest {
    const contents = this.#prepare(request.contents, facts);
    return buildRequest({ ...request, contents }, facts, this.#findHead(request, facts));
  }

  /** The contents as they are sent: checked, and with nothing behind function responses. */
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
   * What stands behind function responses gets a `user` content of its own: the service refuses such a sibling, or reads it as if
   * the model had the last word. The same content always becomes the same ones.
   */
  #splitMixed(content: Content): readonly Content[] {
    if (!isMixed(content)) return [content];
    const known = this.#split.get(content);
    if (known !== undefined) return known;
    const first = content.parts.findIndex((part) => part.functionResponse !== undefined);
    const stays = content.parts.filter((part, i) => i < first || part.functionResponse !== undefined);
    const split = [
      { ...content, parts: stays },
      { ...content, parts: content.parts.filter((part) => !stays.includes(part)) },
    ];
    this.#split.set(content, split);
    return split;
  }

  #findHead(request: ModelRequest, facts: RequestFacts): RequestHead {
    const { instructions, functions, builtIns, calling } = request;
    const source = this.#headSource;
    const isSame =
      source !== undefined &&
      source.instructions === instructions &&
      source.functions === functions &&
      source.builtIns === builtIns &&
      (source.calling?.mode === "NONE") === (calling?.mode === "NONE");
    if (!isSame) {
      this.#headSource = { instructions, functions, builtIns, calling };
      this.#head = buildHead(request, facts);
    }
    return this.#head;
  }
}

/** How many contents both begin with. */
function countShared(seen: readonly Content[], contents: readonly Content[]): number {
  let shared = 0;
  while (shared < seen.length && seen[shared] === contents[shared]) shared++;
  return shared;
}

/** What stands before the responses may stay. */
function isMixed(content: Content): boolean {
  let hasResponse = false;
  for (const { functionResponse } of content.parts) {
    if (functionResponse !== undefined) hasResponse = true;
    else if (hasResponse) return true;
  }
  return false;
}

/**
 * Checks that every function call has its response where the service looks for it, before anything is sent: in the `user`
 * content right behind the calls, under the same name and id, and nowhere else. Older families may spread responses over
 * several contents and take any name.
 *
 * A mismatch is refused by the service at best; newer models answer it with nothing.
 *
 * @param start - Where a turn begins; what stands before it is not checked.
 * @returns Where the last turn begins, which more contents may still join.
 * @throws {ConfigurationError} Naming the content that does not fit.
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 */
export function checkPairing(
  contents: readonly Content[],
  { family }: Pick<ModelCapabilities, "family">,
  start = 0,
): number {
  let turn = start;
  for (let at = start; at < contents.length;) {
    turn = at;
    const calls: FunctionCall[] = [];
    let next = at;
    // Neighbouring contents of the model are one turn.
    for (; contents[next]?.role === "model"; next++)
      for (const { functionCall } of contents[next]?.parts ?? []) if (functionCall) calls.push(functionCall);
    if (calls.length > 0 && at === 0)
      throw pairingError(
        `contents[0] calls ${listNames(calls)} before any user content; start with the user's question`,
      );
    const answering = next;
    const responses: FunctionResponse[] = [];
    for (; next < contents.length && contents[next]?.role !== "model"; next++) {
      const before = responses.length;
      for (const { functionResponse } of contents[next]?.parts ?? [])
        if (functionResponse) responses.push(functionResponse);
      if (responses.length === before) continue;
      const isLate = next > answering && !isOlderFamily(family);
      if (calls.length === 0 || isLate) throw orphanError(responses.slice(before), next, isLate && calls.length > 0);
    }
    const open = calls.length - responses.length;
    if (open > 0)
      throw pairingError(
        `contents[${answering - 1}] calls ${listNames(calls)}, and ${describeUnanswered(calls, responses)}`,
      );
    if (open < 0) throw orphanError(responses.slice(calls.length), next - 1, false);
    const stray = findStray(calls, responses);
    if (stray !== undefined && !isOlderFamily(family))
      throw pairingError(
        `contents[${answering}] answers ${describeCall(stray)}, and contents[${answering - 1}] calls ${calls.map(describeCall).join(", ")}; copy the call's name and id`,
      );
    at = next;
  }
  return turn;
}

/** The first response that belongs to no call; of two calls with one name and id, each has its own. */
function findStray(
  calls: readonly FunctionCall[],
  responses: readonly FunctionResponse[],
): FunctionResponse | undefined {
  const open = [...calls];
  for (const response of responses) {
    let at = 0;
    // An empty id is none.
    while (at < open.length && !(open[at]?.name === response.name && (open[at]?.id || "") === (response.id || "")))
      at++;
    if (at === open.length) return response;
    open.splice(at, 1);
  }
  return undefined;
}

function describeUnanswered(calls: readonly FunctionCall[], responses: readonly FunctionResponse[]): string {
  if (responses.length === 0) return "the next content contains no response; answer every call, including failed ones";
  const count = `${responses.length} of ${calls.length}`;
  return `only ${count} are answered (${listNames(responses)}); answer every call, including failed ones`;
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

/** Names of calls or responses, for a message. */
export function listNames(list: readonly { readonly name?: string | undefined }[]): string {
  return list.map(({ name }) => name || "(no name)").join(", ");
}

/** A call or response by its name and id, for a message. */
export function describeCall({ id, name }: { readonly id?: string | undefined; readonly name: string }): string {
  return id ? `${name} (id ${id})` : name;
}
