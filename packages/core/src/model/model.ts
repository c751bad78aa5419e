import type { CallOptions, CallSignal } from "../wire/client-options.ts";
import type { EndpointKind } from "../wire/endpoints/endpoint.ts";
import type { RetryNotice } from "../wire/http/retry.ts";
import type { WaitNotice } from "../wire/limiter/rate-gate.ts";
import type { Content, Part } from "../wire/types/content.ts";
import type { FunctionCallingMode, FunctionDeclaration, JsonSchema, WireTool } from "../wire/types/declaration.ts";
import type { Candidate, GenerateContentResponse, ModalityTokenCount } from "../wire/types/generate-content.ts";
import type { Cache, CacheLife } from "./resources/caches.ts";
import type { ModelCapabilities } from "../wire/known-models.ts";
import type { Healed } from "./heal/heal.ts";
import type { HistoryOrigin } from "./history/import-history.ts";
import type { ModelSettings } from "./settings.ts";
import type { Usage } from "./usage.ts";

/** One request to a model, before the rules of its endpoint and family are applied. */
export interface ModelRequest {
  /** Text of the system instruction. */
  readonly instructions?: string | undefined;
  /** Oldest first; must not end with an open function call. Never modified. */
  readonly contents: readonly Content[];
  /** Functions the model may call, in `parametersJsonSchema` form. The same array for every request of a run. */
  readonly functions: readonly FunctionDeclaration[];
  /** Tools that the service runs. The same array for every request of a run. */
  readonly builtIns: readonly WireTool[];
  /** @defaultValue `AUTO`, or `VALIDATED` with both built-in tools and functions */
  readonly calling?:
    | { readonly mode: FunctionCallingMode; readonly allowedFunctionNames?: readonly string[] | undefined }
    | undefined;
  /** Ask for JSON: with a schema, or `{}` for any JSON. */
  readonly output?: { readonly schema?: JsonSchema | undefined } | undefined;
  readonly settings: ModelSettings;
}

/** One whole answer, as JSON that can be journaled. */
export interface ModelResponse {
  /** Role `model`; every part, key, signature and byte of text as received. `parts` may be empty. */
  readonly content: Content;
  /** As received. */
  readonly finishReason: string;
  readonly finishMessage?: string | undefined;
  readonly usage: Usage;
  /** The candidate without its content: grounding, citations, ratings, unknown fields. Of each, the last non-empty value received. */
  readonly candidate: Omit<Candidate, "content">;
  /** The response without its candidates: model version, response ID, raw usage, unknown fields. Of each, the last non-empty value received. */
  readonly envelope: Omit<GenerateContentResponse, "candidates">;
  /** Names of called functions that stand in for others: such a call has the `name` and `input` of the call that is meant. Absent for none. */
  readonly standIns?: readonly string[] | undefined;
}

/** Something that happened before an answer was complete. */
export type ModelNotice =
  /** A request failed and will be retried after a delay. */
  | ({ readonly type: "retry" } & RetryNotice)
  /** The request is delayed because the service asked another request to wait; `delayMs` is the remaining time. */
  | ({ readonly type: "wait" } & WaitNotice)
  /** The service rejected the request, which will be retried with a change (see `heal/heal.ts`). */
  | ({ readonly type: "heal" } & Healed)
  /** A long answer broke after its last checkpoint: every part so far is void; the valid parts come again, then the rest of the answer. */
  | { readonly type: "rewind"; readonly reason: string };

/** Options of {@link Model.respond}. */
export interface RespondOptions extends Pick<CallOptions, "budget" | "logger" | "onQueued" | "tap"> {
  /** Aborting it ends the request, which rejects with `signal.reason`. */
  readonly signal: AbortSignal;
  /** Identifies the run: contents that were already sent with the same object are not serialized again. Never read. */
  readonly conversation?: object | undefined;
  /**
   * Receives each batch of parts as it arrives. Text parts are deltas; a call with streamed arguments comes in pieces (`willContinue:
   * true`) and then whole. A promise must be awaited before the next batch. Never rejects.
   */
  readonly onParts?: ((parts: readonly Part[]) => void | Promise<void>) | undefined;
  /** Called for each retry, wait and heal; must not throw. */
  readonly onNotice?: ((notice: ModelNotice) => void) | undefined;
  /** Called with the usage of requests whose answers broke off, as far as the service counted it; must not throw. */
  readonly onLost?: ((usage: Usage) => void) | undefined;
}

/** Contents and lifetime of a new cache. */
export interface CacheRequest extends CacheLife {
  /** Its instructions, tools, tool config and contents are cached; of the settings, only the location. */
  readonly request: ModelRequest;
  /** Shown in lists. */
  readonly displayName?: string | undefined;
}

/**
 * Anything that can answer one request: passes each batch of parts to `onParts` as it arrives, and resolves to the whole response.
 * @throws {AgentError} On transport or protocol failure, never returned as data. An abort throws `signal.reason`.
 */
export interface Model {
  /** Model id as the user wrote it. */
  readonly id: string;
  readonly capabilities: ModelCapabilities;
  /** Where its answers come from, and so where their thought signatures are valid. @defaultValue the model's ID and family */
  readonly origin?: HistoryOrigin | undefined;
  /** Kind of service that it calls, for observers. */
  readonly endpointKind?: EndpointKind | undefined;
  /** Whether it streams its answers, for observers. */
  readonly streams?: boolean | undefined;
  /** Most bytes of a request; `Infinity` for no limit. @defaultValue 104_857_600 (100 MiB) */
  readonly maxRequestBytes?: number | undefined;
  /** Throws a {@link ConfigurationError} for settings that cannot work on this model. Called when an agent is created and when a run starts. */
  check(settings: ModelSettings): void;
  respond(request: ModelRequest, options: RespondOptions): Promise<ModelResponse>;
  /** Counts the tokens of a request without answering it. Absent if unsupported. */
  countTokens?(request: ModelRequest, options: CallSignal): Promise<TokenCount>;
  /** Creates an explicit cache. Absent if unsupported. */
  createCache?(request: CacheRequest, options: CallSignal): Promise<Cache>;
}

/** Size of a request. */
export interface TokenCount {
  /** Instructions, tools and contents, including those in the request's cache. */
  readonly totalTokens: number;
  /** Of these, those in an explicit cache. */
  readonly cachedTokens: number;
  /** By modality; empty where the endpoint does not report them. */
  readonly details: readonly ModalityTokenCount[];
}
