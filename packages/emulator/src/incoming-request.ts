/** A request with its body read. */
export interface IncomingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  /** The body as received. */
  readonly bytes: Uint8Array;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}
