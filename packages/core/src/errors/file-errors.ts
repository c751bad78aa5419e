import { AgentError } from "./agent-error.ts";

/** An uploaded file cannot be used: the service failed to process it, or had not finished when the wait ended. */
export class FileStateError extends AgentError {
  override readonly code = "file_state";
  override readonly retryable: boolean;
  /** Such as `files/abc123`. */
  readonly file: string;
  /** The service's word: `FAILED`, or `PROCESSING` when the wait ended before the service did; then `retryable` is true. */
  readonly state: string;

  constructor(message: string, file: string, state: string, options?: ErrorOptions) {
    super(message, options);
    this.file = file;
    this.state = state;
    this.retryable = state !== "FAILED";
  }
}
