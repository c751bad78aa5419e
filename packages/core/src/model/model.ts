import type { Logger } from "../logging/logger.ts";
import type { CallSignal } from "../wire/client-options.ts";
import type { RequestBudget } from "../wire/http/retry.ts";
import type { Content, Part } from "../wire/types/content.ts";
import type { FunctionCallingMode, FunctionDeclaration, JsonSchema, WireTool } from "../wire/types/declaration.ts";
import type { Candidate, GenerateContentResponse, ModalityTokenCount } from "../wire/types/generate-content.ts";
import type { Cache, CacheLife } from "./resources/caches.ts";
import type { ModelCapabilities } from "./capabilities.ts";
import type { HistoryOrigin } from "./history/import-history.ts";
import type { ModelSettings } from "./settings.ts";
import type { Usage } from "./usage.ts";

/** One request to a model, before the endpoint's and the family's rules are applied to it. */
export interface ModelRequest {
  /** Text of the system instruction. */
  readonly instructions?: string | undefined;
  /** Oldest first; must not end on an open function call. Contents are taken as they are and never changed. */
  readonly contents: readonly Content[];
  /** Functions the model may call, in `parametersJsonSchema` form. The same array for every request of a run. */
  readonly functions: readonly FunctionDeclaration[];
  /** Tools the service runs itself. The same array for every request of a run. */
  readonly builtIns: readonly WireTool[];
  /** Absent leaves the mode to the model layer (`AUTO`, or `VALIDATED` where built-in tools stand beside functions). */
  readonly calling?:
    | { readonly mode: FunctionCallingMode; readonly allowedFunctionNames?: readonly string[] | undefined }
    | undefined;
  /** Ask for JSON: with a schema, or `{}` for any JSON. */
  readonly output?: { readonly schema?: JsonSchema | undefined } | undefined;
  readonly settings: ModelSettings;
}

/** One whole answer. JSON-safe, so that it can be journaled. */
export interface ModelResponse {
  /** Role `model`; every part, key, signature and byte of text as it came. `parts` may be empty. */
  readonly content: Content;
  /** The model's word; `undefined` never leaves the model layer on a success. */
  readonly finishReason: string;
  readonly finishMessage?: string | undefined;
  readonly usage: Usage;
  /** The candidate without its content, folded over the chunks (latest non-empty wins): grounding, citations, ratings, unknown fields. */
  readonly candidate: Omit<Candidate, "content">;
  /** The response without its candidates, of the last chunk that had each field: model version, response id, raw usage, unknown fields. */
  readonly envelope: Omit<GenerateContentResponse, "candidates">;
}

/** Something that happened on the way to an answer. */
export type ModelNotice =
  /** A request failed and is sent again after a wait. */
  | {
      readonly type: "retry";
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: { readonly code: string; readonly message: string; readonly status?: number | undefined };
    }
  /** The request is not sent yet, because the service asked another one to wait; `delayMs` from now on it lets requests through. */
  | {
      readonly type: "wait";
      readonly delayMs: number;
      readonly error: { readonly code: string; readonly message: string; readonly status?: number | undefined };
    }
  /** The request was changed once to suit what the service said (see `heal/heal.ts`), and is sent again. */
  | {
      readonly type: "heal";
      readonly heal: string;
      readonly detail: string;
      /** True when what earlier requests of this conversation began with had to change: the service's cache starts anew. */
      readonly breaksPrefix: boolean;
    }
  /**
   * A long answer broke off behind its last checkpoint. Every part that was handed on is void: what is left of them comes
   * again, and the answer goes on from there.
   */
  | { readonly type: "rewind"; readonly reason: string };

/** What a model may use while it answers. */
export interface RespondOptions {
  /** Aborting it ends the request, which then rejects with `signal.reason`. */
  readonly signal: AbortSignal;
  /** Identity of the run: contents already sent under the same key are not serialized again. Never read. */
  readonly conversation?: object | undefined;
  /**
   * Takes each batch of parts as it arrives. Text parts are deltas; a call whose arguments are streamed comes in pieces
   * (`willContinue: true`, with what is new in `partialArgs`) and then whole. A promise has to be awaited before the next batch: the
   * reader is slow. Never rejects.
   */
  readonly onParts?: ((parts: readonly Part[]) => void | Promise<void>) | undefined;
  /** Requests that the turn may still send; each one takes from it. @defaultValue no limit but the model's own */
  readonly budget?: RequestBudget | undefined;
  /** Called for each retry, wait and heal; must not throw. */
  readonly onNotice?: ((notice: ModelNotice) => void) | undefined;
  readonly logger?: Logger | undefined;
}

/** What a cache is to hold, and for how long. */
export interface CacheRequest extends CacheLife {
  /** Instructions, tools, tool config and contents go into the cache; of the settings, only the location can. */
  readonly request: ModelRequest;
  /** Shown in lists. */
  readonly displayName?: string | undefined;
}

/**
 * Anything that can answer one request.
 *
 * Hands each batch of parts to `onParts` as it arrives, and gives the whole response. A unary call is the same thing with one
 * batch, so callers never branch on "streaming".
 *
 * @throws {AgentError} On transport or protocol failure; failures are never yielded as data. An abort throws `signal.reason`.
 */
export interface Model {
  /** Model id as the user wrote it. */
  readonly id: string;
  readonly capabilities: ModelCapabilities;
  /** Where its answers come from: their thought signatures mean something only there. @defaultValue the model's id and family */
  readonly origin?: HistoryOrigin | undefined;
  /** Throws a {@link ConfigurationError} when these settings cannot work on this model. Called when an agent is made and when a run starts. */
  check(settings: ModelSettings): void;
  respond(request: ModelRequest, options: RespondOptions): Promise<ModelResponse>;
  /** Counts a request without answering it. Absent when the model cannot. */
  countTokens?(request: ModelRequest, options: CallSignal): Promise<TokenCount>;
  /** Makes an explicit cache. Absent when the model cannot. */
  createCache?(request: CacheRequest, options: CallSignal): Promise<Cache>;
}

/** How large a request is. */
export interface TokenCount {
  /** Instructions, tools, contents and what the request's cache holds. */
  readonly totalTokens: number;
  /** Of these, the ones in an explicit cache. */
  readonly cachedTokens: number;
  /** The same by modality; empty where the endpoint does not say. */
  readonly details: readonly ModalityTokenCount[];
}
