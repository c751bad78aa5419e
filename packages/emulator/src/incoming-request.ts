/** A request with its body read. */
export interface IncomingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}
