import type { FunctionCall } from "@pollux/core";

/** One operation of a document. */
export interface OpenApiOperation {
  /** The document's `operationId`; `METHOD /path` where it has none, or has it twice. */
  readonly id: string;
  /** In capitals, such as `GET`. */
  readonly method: string;
  /** The document's path, such as `/pets/{petId}`. */
  readonly path: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly deprecated: boolean;
}

/** What a service knows its caller by. Sent to the host of `baseUrl`, or of the document's first server, and to no other. */
export interface OpenApiCredentials {
  /** `Authorization: Bearer …`. */
  readonly bearer?: string | undefined;
  /** `Authorization: Basic …`. */
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  /** Headers, by name. */
  readonly header?: { readonly [name: string]: string } | undefined;
  /** Query parameters, by name. */
  readonly query?: { readonly [name: string]: string } | undefined;
}

/** Gives the credentials of one request; asked anew each time, so tokens may run out. */
export type OpenApiAuth = (
  operation: OpenApiOperation,
  signal: AbortSignal,
) => OpenApiCredentials | Promise<OpenApiCredentials>;

/** How a document becomes tools. */
export interface OpenApiOptions {
  /** Where requests go, in place of the document's servers: `https://api.example.com/v1`. @defaultValue the document's */
  readonly baseUrl?: string | URL | undefined;
  /**
   * The operations that are meant: names (`operationId`), globs of names (`repos/*`), `METHOD /path` with globs
   * (`GET /repos/**`), with `!` in front what is left out; or a function that says it.
   *
   * @defaultValue all, when there are at most 128
   */
  readonly operations?: readonly string[] | ((operation: OpenApiOperation) => boolean) | undefined;
  /** Credentials, or a function that gives them for each request. Parameters they fill are not shown to the model. */
  readonly auth?: OpenApiCredentials | OpenApiAuth | undefined;
  /** @defaultValue the global one */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Put before each tool's name, with `_`. @defaultValue none */
  readonly prefix?: string | undefined;
  /** Largest result in bytes of JSON; lists and texts in longer ones are shortened, visibly. @defaultValue 32_768 */
  readonly maxResultBytes?: number | undefined;
  /** Milliseconds for one call. @defaultValue 60_000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether a person has to agree to a call first. Of a function, throwing counts as yes.
   *
   * @defaultValue yes for every method but GET, HEAD and OPTIONS
   */
  readonly needsApproval?:
    | boolean
    | ((operation: OpenApiOperation, input: unknown, call: FunctionCall) => boolean | Promise<boolean>)
    | undefined;
}

/** An operation that the model is not offered. */
export interface SkippedOperation {
  readonly operation: OpenApiOperation;
  /** Why. */
  readonly reason: string;
}
