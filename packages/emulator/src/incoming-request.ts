/** A request with its body read. */
export interface IncomingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  /** The same, as it came. */
  readonly bytes: Uint8Array;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}
