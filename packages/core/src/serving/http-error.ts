/** An answer other than the one that was asked for. Its message is sent to the client. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** What went wrong, for programs: a word in snake case, such as `not_found`. */
  readonly code: string;
  /** Sent with the answer. */
  readonly headers: { readonly [name: string]: string };

  constructor(status: number, code: string, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
