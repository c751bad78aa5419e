import { present, unlessEmpty } from "../../internal/json.ts";
import type { Content } from "../../wire/types/content.ts";
import type { FunctionDeclaration, JsonSchema, WireTool } from "../../wire/types/declaration.ts";
import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";
import { findCurrentTurn, mapParts, PLACEHOLDER_SIGNATURE, signFirstCall, stripIds } from "../history/change-calls.ts";
import { simplifySchema, toSchemaSubset } from "./schema-subset.ts";

/** Contents and tools as one heal changed them, by their originals: later requests reuse these objects and serialize none again. */
type HealMemo = WeakMap<object, object>;

/** Heals of one conversation, and its contents as they changed them. */
export interface HealMemory {
  /** The last request of this conversation that was answered, as sent. */
  answered: GenerateContentRequest | undefined;
  readonly active: Set<string>;
  readonly memos: Map<string, HealMemo>;
}

/** A change to a rejected request, and when to make it. */
export interface Heal {
  readonly name: string;
  /** What changed, for logs and events. */
  readonly detail: string;
  /** Which requests it applies to: all to this model at its endpoint, all of this conversation, or only this one. */
  readonly lasts: "model" | "conversation" | "request";
  /** The heal that this one reverts. */
  readonly undoes?: string | undefined;
  /** The service's message. */
  readonly message: RegExp;
  /** Whether it helps the request that was sent. @defaultValue always */
  readonly helps?: ((sent: GenerateContentRequest) => boolean) | undefined;
  /** Called each time the heal is chosen. */
  readonly prepare?: ((request: GenerateContentRequest, memo: HealMemo) => void) | undefined;
  apply(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest;
}

const CORRUPTED = /(?:Corrupted|Invalid) thought signature/i;
const TOO_MUCH_SCHEMA = /too many states|maximum (?:allowed )?(?:schema|nesting) depth/i;

/** One object for all requests, see {@link HealMemo}. */
const PLEASE_CONTINUE: Content = { role: "user", parts: [{ text: "Please continue." }] };

/** In order of application: heals that recognize contents by identity come first. @see https://ai.google.dev/gemini-api/docs/troubleshooting */
export const HEALS: readonly Heal[] = [
  {
    name: "repeat-request",
    detail: "The service could not read a thought signature; the same request is retried.",
    lasts: "request",
    message: CORRUPTED,
    apply: (request) => request,
  },
  {
    name: "replace-signatures",
    detail: "The service could not read a thought signature; those of the current turn were replaced by a placeholder.",
    lasts: "conversation",
    message: CORRUPTED,
    prepare: markSignatures,
    // Only marked ones, because later signatures are valid.
    apply: (request, memo) => mapContents(request, (content) => recall(memo, content)),
  },
  {
    name: "sign-calls",
    detail: "Function calls of the current turn had no thought signature; a placeholder was added.",
    lasts: "conversation",
    message: /missing a \W?thought_signature/i,
    apply: withSignedCalls,
  },
  {
    name: "strip-ids",
    detail: "The endpoint does not accept the IDs of function calls; they are omitted.",
    lasts: "model",
    message: /Unknown name \W*id\W* at .*function_?(?:call|response)/i,
    // From calls and responses alike, so that their order still matches them.
    apply: (request, memo) => mapContents(request, (content) => remember(memo, content, stripIds)),
  },
  {
    name: "end-with-user",
    detail: "The history must not end with a model content; a user content asks it to continue.",
    lasts: "model",
    message: /Requests ending with a model turn/i,
    apply: (request) =>
      request.contents.at(-1)?.role === "model"
        ? { ...request, contents: [...request.contents, PLEASE_CONTINUE] }
        : request,
  },
  {
    name: "simplify-schema",
    detail: "A schema is more complex than the service can enforce; it was sent with fewer constraints.",
    lasts: "model",
    message: TOO_MUCH_SCHEMA,
    apply: (request, memo) => mapSchemas(request, memo, ["parametersJsonSchema", "responseJsonSchema"], simplifySchema),
  },
  {
    name: "schema-subset",
    detail:
      "The endpoint does not support JSON Schema; schemas were converted to the older form, which can lose detail.",
    lasts: "model",
    message:
      /Unknown name \W*_?(?:parametersJsonSchema|parameters_json_schema|responseJsonSchema|response_json_schema)/i,
    apply: (request, memo) => mapSchemas(request, memo, ["parameters", "responseSchema"], toSchemaSubset),
  },
  {
    name: "drop-tool-flag",
    detail: "The endpoint does not accept toolConfig.includeServerSideToolInvocations; it is omitted.",
    lasts: "model",
    undoes: "add-tool-flag",
    message: /Unknown name \W*(?:includeServerSideToolInvocations|include_server_side_tool_invocations)/i,
    helps: ({ toolConfig }) => toolConfig?.includeServerSideToolInvocations === true,
    apply: (request) => withFlag(request, false),
  },
  {
    name: "add-tool-flag",
    detail: "The endpoint requires toolConfig.includeServerSideToolInvocations; it is set.",
    lasts: "model",
    undoes: "drop-tool-flag",
    message: /Please enable tool_?config\.include_?server_?side_?tool_?invocations/i,
    helps: ({ toolConfig }) => toolConfig?.includeServerSideToolInvocations !== true,
    apply: (request) => withFlag(request, true),
  },
  {
    name: "drop-thinking",
    detail: "The model does not support the requested thinking; its own default is used.",
    lasts: "model",
    message:
      /Thinking level\b.*not supported|Budget \d+ is invalid|only one of thinking budget|thinking budget .*is invalid|thinking_?(?:config|budget|level)/i,
    helps: ({ generationConfig }) => generationConfig?.thinkingConfig !== undefined,
    apply: (request) => ({
      ...request,
      generationConfig: unlessEmpty({ ...request.generationConfig, thinkingConfig: undefined }),
    }),
  },
  {
    name: "any-to-auto",
    detail: "The service rejected a forced function call; the model now decides whether to call.",
    lasts: "request",
    message: new RegExp(`Request contains an invalid argument\\.|${TOO_MUCH_SCHEMA.source}`, "i"),
    helps: ({ toolConfig }) => toolConfig?.functionCallingConfig?.mode === "ANY",
    apply: (request) => ({
      ...request,
      toolConfig: { ...request.toolConfig, functionCallingConfig: { mode: "AUTO" } },
    }),
  },
];

/** A heal that was chosen for a request. */
export interface Healed {
  readonly heal: string;
  readonly detail: string;
  /** True when contents or tools of earlier requests of this conversation change, so the service's cache no longer applies. */
  readonly breaksPrefix: boolean;
}

/** Changes one request to suit the service's errors. Each heal is tried at most once. */
export interface Healer {
  /** The request to send, with every heal known so far. */
  apply(): GenerateContentRequest;
  /** Chooses a heal for the last request, which was refused with 400 and this message; `undefined` when the error is final. */
  learn(message: string): Healed | undefined;
}

/** @param wanted - The request without heals. @param model - Names of the heals of all requests to the model; grows. */
export function createHealer(
  wanted: GenerateContentRequest,
  model: Set<string>,
  { answered, active, memos }: HealMemory,
): Healer {
  const names = { model, conversation: active, request: new Set<string>() };
  const tried = new Set<string>();
  /** Heals of the request that was sent last. Other requests to the model may have found more since. */
  let applied: readonly Heal[] = [];
  let sent = wanted;
  const memoOf = (name: string): HealMemo => {
    const memo = memos.get(name) ?? new WeakMap<object, object>();
    memos.set(name, memo);
    return memo;
  };
  const apply = (): GenerateContentRequest => {
    applied = HEALS.filter(({ name }) => Object.values(names).some((some) => some.has(name)));
    sent = applied.reduce((request, heal) => heal.apply(request, memoOf(heal.name)), wanted);
    return sent;
  };
  const learn = (message: string): Healed | undefined => {
    const chosen = HEALS.find(
      (heal) =>
        !tried.has(heal.name) &&
        // A heal that marks contents may be needed again, for newer contents.
        (heal.prepare !== undefined || !applied.includes(heal)) &&
        heal.message.test(message) &&
        heal.helps?.(sent) !== false,
    );
    if (chosen === undefined) return undefined;
    const { name, detail, undoes, lasts } = chosen;
    tried.add(name);
    if (undoes !== undefined) model.delete(undoes);
    chosen.prepare?.(wanted, memoOf(name));
    names[lasts].add(name);
    const { tools, contents } = apply();
    const breaksPrefix =
      answered !== undefined &&
      (answered.tools !== tools || answered.contents.some((content, i) => content !== contents[i]));
    return { heal: name, detail, breaksPrefix };
  };
  return { apply, learn };
}

function remember<T extends object>(memo: HealMemo, original: T, change: (original: T) => T): T {
  // A memo holds the results of a single change.
  const known = memo.get(original) as T | undefined;
  if (known !== undefined) return known;
  const changed = change(original);
  memo.set(original, changed);
  return changed;
}

function recall(memo: HealMemo, content: Content): Content {
  return (memo.get(content) as Content | undefined) ?? content;
}

function mapContents(
  request: GenerateContentRequest,
  change: (content: Content, index: number) => Content,
): GenerateContentRequest {
  return { ...request, contents: request.contents.map(change) };
}

/** Puts the placeholder on unsigned first calls of the current turn; in later turns they keep it. */
function withSignedCalls(request: GenerateContentRequest, memo: HealMemo): GenerateContentRequest {
  const turn = findCurrentTurn(request.contents);
  return mapContents(request, (content, i) =>
    i >= turn ? remember(memo, content, signFirstCall) : recall(memo, content),
  );
}

/** Marks the contents whose signatures are replaced: the current turn's. */
function markSignatures({ contents }: GenerateContentRequest, memo: HealMemo): void {
  for (const content of contents.slice(findCurrentTurn(contents))) {
    const replaced = mapParts(content, (part) =>
      part.thoughtSignature === undefined ? part : { ...part, thoughtSignature: PLACEHOLDER_SIGNATURE },
    );
    memo.set(content, replaced);
  }
}

/** Changes the schemas of parameters and answers, and moves them to these fields. */
function mapSchemas(
  request: GenerateContentRequest,
  memo: HealMemo,
  [parameters, response]: readonly [string, string],
  change: (schema: JsonSchema) => JsonSchema | undefined,
): GenerateContentRequest {
  const mapOne = (declaration: FunctionDeclaration): FunctionDeclaration => {
    const { parametersJsonSchema: schema, ...rest } = declaration;
    return schema === undefined ? declaration : present({ ...rest, [parameters]: change(schema) });
  };
  const mapTool = (tool: WireTool): WireTool =>
    tool.functionDeclarations ? { ...tool, functionDeclarations: tool.functionDeclarations.map(mapOne) } : tool;
  const { tools, generationConfig } = request;
  const { responseJsonSchema: schema, ...config } = generationConfig ?? {};
  return {
    ...request,
    ...(tools && { tools: remember(memo, tools, (all) => all.map(mapTool)) }),
    ...(schema && { generationConfig: present({ ...config, [response]: change(schema) }) }),
  };
}

/** Sets or removes the flag for built-in tools with functions. */
function withFlag(request: GenerateContentRequest, flag: boolean): GenerateContentRequest {
  const { tools = [], toolConfig } = request;
  const isMixed = tools.length > 1 && tools.some((tool) => tool.functionDeclarations !== undefined);
  const includeServerSideToolInvocations = (flag && isMixed) || undefined;
  return { ...request, toolConfig: unlessEmpty({ ...toolConfig, includeServerSideToolInvocations }) };
}
