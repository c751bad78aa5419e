import { ApiStatusError } from "../../errors/api-errors.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import {
  endingWithUser,
  type HealMemo,
  markSignatures,
  withFlag,
  withoutForcedCalls,
  withoutIds,
  withoutThinking,
  withReplacedSignatures,
  withSchemaSubset,
  withSimplerSchemas,
  withSignedCalls,
} from "./heal-changes.ts";

/** What can be changed in a request that was refused. */
export type HealName =
  | "repeat-request"
  | "replace-signatures"
  | "sign-calls"
  | "strip-ids"
  | "end-with-user"
  | "schema-subset"
  | "drop-tool-flag"
  | "add-tool-flag"
  | "drop-thinking"
  | "simplify-schema"
  | "any-to-auto";

/** One change, and when it is made. */
export interface Heal {
  readonly name: HealName;
  /** What was changed, for logs and events. */
  readonly detail: string;
  /** How long it is kept: it says something about the model and its endpoint, about this history, or about this request only. */
  readonly lasts: "model" | "conversation" | "request";
  /** The heal that this one takes back. */
  readonly undoes?: HealName | undefined;
  /** @param said - The service's message. */
  readonly matches: (said: string, sent: GenerateContentRequest) => boolean;
  /** Called each time it is chosen. */
  readonly prepare?: ((request: GenerateContentRequest, memo: HealMemo) => void) | undefined;
  apply(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest;
}

const CORRUPTED = /(?:Corrupted|Invalid) thought signature/i;
const SEARCH_FLAG = /Unknown name \W*(?:includeServerSideToolInvocations|include_server_side_tool_invocations)/i;
const TOO_MUCH_SCHEMA = /too many states|maximum (?:allowed )?(?:schema|nesting) depth/i;

/**
 * Applied in this order. What knows contents by identity stands before what changes all of them.
 *
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export const HEALS: readonly Heal[] = [
  {
    name: "repeat-request",
    detail: "The service could not read a thought signature; the same request is retried.",
    lasts: "request",
    matches: (said) => CORRUPTED.test(said),
    apply: (request) => request,
  },
  {
    name: "replace-signatures",
    detail: "The service could not read a thought signature; those of the current turn were replaced by a placeholder.",
    lasts: "conversation",
    matches: (said) => CORRUPTED.test(said),
    prepare: markSignatures,
    apply: withReplacedSignatures,
  },
  {
    name: "sign-calls",
    detail: "Function calls of the current turn had no thought signature; a placeholder was added.",
    lasts: "conversation",
    matches: (said) => /missing a \W?thought_signature/i.test(said),
    apply: withSignedCalls,
  },
  {
    name: "strip-ids",
    detail: "The endpoint does not accept the IDs of function calls; they are omitted.",
    lasts: "model",
    matches: (said) => /Unknown name \W*id\W* at .*function_?(?:call|response)/i.test(said),
    apply: withoutIds,
  },
  {
    name: "end-with-user",
    detail: "The history must not end with a model content; a user content asks it to continue.",
    lasts: "model",
    matches: (said) => /Requests ending with a model turn/i.test(said),
    apply: endingWithUser,
  },
  {
    name: "simplify-schema",
    detail: "A schema is more complex than the service can enforce; it was sent with fewer constraints.",
    lasts: "model",
    matches: (said) => TOO_MUCH_SCHEMA.test(said),
    apply: withSimplerSchemas,
  },
  {
    name: "schema-subset",
    detail:
      "The endpoint does not support JSON Schema; schemas were converted to the older form, which can lose detail.",
    lasts: "model",
    matches: (said) =>
      /Unknown name \W*_?(?:parametersJsonSchema|parameters_json_schema|responseJsonSchema|response_json_schema)/i.test(
        said,
      ),
    apply: withSchemaSubset,
  },
  {
    name: "drop-tool-flag",
    detail: "The endpoint does not accept toolConfig.includeServerSideToolInvocations; it is omitted.",
    lasts: "model",
    undoes: "add-tool-flag",
    matches: (said, { toolConfig }) => toolConfig?.includeServerSideToolInvocations === true && SEARCH_FLAG.test(said),
    apply: (request) => withFlag(request, false),
  },
  {
    name: "add-tool-flag",
    detail: "The endpoint requires toolConfig.includeServerSideToolInvocations; it is set.",
    lasts: "model",
    undoes: "drop-tool-flag",
    matches: (said, { toolConfig }) =>
      toolConfig?.includeServerSideToolInvocations !== true &&
      /Please enable tool_?config\.include_?server_?side_?tool_?invocations/i.test(said),
    apply: (request) => withFlag(request, true),
  },
  {
    name: "drop-thinking",
    detail: "The model does not support the requested thinking; its own default is used.",
    lasts: "model",
    matches: (said, { generationConfig }) =>
      generationConfig?.thinkingConfig !== undefined &&
      /Thinking level\b.*not supported|Budget \d+ is invalid|only one of thinking budget|thinking budget .*is invalid|thinking_?(?:config|budget|level)/i.test(
        said,
      ),
    apply: withoutThinking,
  },
  {
    name: "any-to-auto",
    detail: "The service rejected a forced function call; the model now decides whether to call.",
    lasts: "request",
    matches: (said, { toolConfig }) =>
      toolConfig?.functionCallingConfig?.mode === "ANY" &&
      (/Request contains an invalid argument\./i.test(said) || TOO_MUCH_SCHEMA.test(said)),
    apply: withoutForcedCalls,
  },
];

/** A heal that was chosen. */
export interface Healed {
  readonly heal: HealName;
  readonly detail: string;
  /** Whether something that stood in an earlier request of this conversation is sent differently from now on. */
  readonly breaksPrefix: boolean;
}

/** What was learned about one conversation, and what its contents became. */
export class HealMemory {
  /** The last request of this conversation that was answered, as it was sent. */
  answered: Pick<GenerateContentRequest, "tools" | "contents"> | undefined;
  readonly active: Set<HealName> = new Set<HealName>();
  readonly #memos = new Map<HealName, HealMemo>();

  memo(name: HealName): HealMemo {
    const memo = this.#memos.get(name) ?? new WeakMap<object, object>();
    this.#memos.set(name, memo);
    return memo;
  }
}

/** Changes one request to suit what the service says about it. Each heal is tried at most once. */
export class Healer {
  readonly #model: Set<HealName>;
  readonly #conversation: HealMemory;
  readonly #request = new Set<HealName>();
  readonly #tried = new Set<HealName>();

  /** @param model - What is known of the model at its endpoint; grows. */
  constructor(model: Set<HealName>, conversation: HealMemory) {
    this.#model = model;
    this.#conversation = conversation;
  }

  /** The request with everything applied that is known by now. */
  apply(request: GenerateContentRequest): GenerateContentRequest {
    let healed = request;
    // Nearly every request goes out as it is.
    if (this.#model.size + this.#conversation.active.size + this.#request.size === 0) return healed;
    for (const heal of HEALS)
      if (this.#isActive(heal.name)) healed = heal.apply(healed, this.#conversation.memo(heal.name));
    return healed;
  }

  /**
   * Learns from an error.
   *
   * @param request - What was asked for, before {@link Healer.apply}.
   * @returns What will be different next time; `undefined` when the error is final.
   */
  learn(error: unknown, request: GenerateContentRequest): Healed | undefined {
    if (!(error instanceof ApiStatusError) || error.status !== 400) return undefined;
    const sent = this.apply(request);
    const chosen = HEALS.find(
      ({ name, prepare, matches }) =>
        !this.#tried.has(name) &&
        // What marks contents may be needed again, for contents that came since.
        (prepare !== undefined || !this.#isActive(name)) &&
        matches(error.message, sent),
    );
    if (chosen === undefined) return undefined;
    const { name, detail, undoes, lasts } = chosen;
    this.#tried.add(name);
    if (undoes !== undefined) this.#model.delete(undoes);
    const active = { model: this.#model, conversation: this.#conversation.active, request: this.#request }[lasts];
    chosen.prepare?.(request, this.#conversation.memo(name));
    active.add(name);
    return { heal: name, detail, breaksPrefix: this.#breaksPrefix(this.apply(request)) };
  }

  /** Notes what was answered: from then on it is expected to stay. */
  accept({ tools, contents }: GenerateContentRequest): void {
    this.#conversation.answered = { tools, contents };
  }

  #breaksPrefix({ tools, contents }: GenerateContentRequest): boolean {
    const { answered } = this.#conversation;
    if (answered === undefined) return false;
    return answered.tools !== tools || answered.contents.some((content, i) => content !== contents[i]);
  }

  #isActive(name: HealName): boolean {
    return this.#model.has(name) || this.#conversation.active.has(name) || this.#request.has(name);
  }
}
