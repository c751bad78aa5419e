import type { GenerateContentRequest, ModalityTokenCount, Part } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import type { StrictSwitches } from "./switches.ts";

/** Which service to emulate. */
export type Profile = "developer" | "developer-v1" | "vertex" | "comet" | "old-proxy";

/** An answer that rejects a request, ready to be sent. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: string;
  /** Id of the violated rule, such as `E-10` or `A-1`. */
  readonly rule: string;
}

/** The operation that a request calls. */
export type Operation =
  | "generateContent"
  | "streamGenerateContent"
  | "countTokens"
  | "computeTokens"
  | "listModels"
  | "getModel";

/** A valid request. */
export interface Accepted {
  readonly operation: Operation;
  /** Facts of the model in the path; of the newest flash model for `listModels`. */
  readonly model: ModelFacts;
  /** True if the answer should be framed as server-sent events (`?alt=sse`). */
  readonly sse: boolean;
  /** Normalized: camelCase keys, roles filled in (`user` if absent), single values wrapped where a list is expected. */
  readonly request: GenerateContentRequest;
  /** The parsed body as received. */
  readonly raw: unknown;
  /** `v1beta`, `v1`, `v1beta1`, ... as in the path. */
  readonly apiVersion: string;
  /** E-15 under `responseMatching: "empty"`: the service would answer with an empty candidate and `STOP`. */
  readonly mismatched: boolean;
  /** The cached content that was prepended to `request`. */
  readonly cached?: CachedPrompt | undefined;
}

/** The normalized contents of a cached content. */
export interface CachedPrompt {
  /** Resolved id of the model it is bound to. */
  readonly modelId: string;
  /** The model's name, as in the request that created it. */
  readonly modelName: string;
  readonly request: Pick<GenerateContentRequest, "contents" | "systemInstruction" | "tools" | "toolConfig">;
  readonly tokens: { readonly total: number; readonly details: readonly ModalityTokenCount[] };
}

/** Checks whether this server issued a thought signature for this family and this part. */
export interface SignatureBook {
  check(signature: string, part: Part, family: string): "issued" | "moved" | "foreign";
}

/** Options for validating a request. */
export interface ValidateOptions {
  readonly profile: Profile;
  /** Accepted keys. Default: any non-empty key that doesn't start with `bad`, `expired`, `invalid` or `leaked`. */
  readonly keys?: readonly string[] | undefined;
  readonly strict?: StrictSwitches | undefined;
  readonly signatures: SignatureBook;
  /** Finds the caller's cached contents by name. Default: names are not looked up. */
  readonly cachedContent?: ((name: string) => CachedPrompt | undefined) | undefined;
}

/** A request as it arrived. */
export interface RequestInput {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}
