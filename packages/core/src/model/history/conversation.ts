import { RequestEncoder } from "../../wire/http/encode-request.ts";
import type { Content } from "../../wire/types/content.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import { HealMemory } from "../heal/heal.ts";
import type { ModelRequest } from "../model.ts";
import {
  buildHead,
  buildRequest,
  type HeadSource,
  type RequestFacts,
  type RequestHead,
} from "../request/build-request.ts";
import { checkPairing } from "./check-pairing.ts";

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
