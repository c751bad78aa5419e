import type { FunctionCall } from "@pollux/core";

/** One operation of a document. */
export interface OpenApiOperation {
  /** The document's `operationId`; `METHOD /path` if it is missing or not unique. */
  readonly id: string;
  /** In uppercase, such as `GET`. */
  readonly method: string;
  /** The document's path, such as `/pets/{petId}`. */
  readonly path: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly deprecated: boolean;
}

/** Credentials. Sent only to the host of `baseUrl`, or of the document's first server. */
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

/** Returns the credentials for one request; called for each request, so tokens may expire. */
export type OpenApiAuth = (
  operation: OpenApiOperation,
  signal: AbortSignal,
) => OpenApiCredentials | Promise<OpenApiCredentials>;

/** Options of {@link openApiTools} and {@link openApiSearch}. */
export interface OpenApiOptions {
  /** Where requests go, instead of the document's servers: `https://api.example.com/v1`. @defaultValue the document's */
  readonly baseUrl?: string | URL | undefined;
  /**
   * The operations to offer: names (`operationId`), globs of names (`repos/*`), `METHOD /path` with globs (`GET /repos/**`),
   * each with a leading `!` to exclude; or a function that returns whether to offer an operation.
   *
   * @defaultValue all, if there are at most 128
   */
  readonly operations?: readonly string[] | ((operation: OpenApiOperation) => boolean) | undefined;
  /** Credentials, or a function that returns them for each request. Parameters they fill are not shown to the model. */
  readonly auth?: OpenApiCredentials | OpenApiAuth | undefined;
  /** @defaultValue the global one */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Prepended to each tool's name, with `_`. @defaultValue none */
  readonly prefix?: string | undefined;
  /** Largest result in bytes of JSON; lists and texts in longer ones are visibly shortened. @defaultValue 32_768 */
  readonly maxResultBytes?: number | undefined;
  /** Milliseconds for one call. @defaultValue 60_000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether arguments are checked against the document's schemas before they are sent: for all operations, or per operation. Set it to
   * `false` for a document that does not match what its service accepts. @defaultValue true
   */
  readonly validate?: boolean | ((operation: OpenApiOperation) => boolean) | undefined;
  /**
   * Whether a person must approve a call first. A function that throws requires approval.
   *
   * @defaultValue `true` for every method except GET, HEAD and OPTIONS
   */
  readonly needsApproval?:
    | boolean
    | ((operation: OpenApiOperation, input: unknown, call: FunctionCall) => boolean | Promise<boolean>)
    | undefined;
}

/** An operation that is not offered to the model. */
export interface SkippedOperation {
  readonly operation: OpenApiOperation;
  /** Why it is not offered. */
  readonly reason: string;
}
