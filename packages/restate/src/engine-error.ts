import { HttpCallError } from "@restatedev/restate-sdk-clients";

/** What went wrong between a client and its runs, as a word to `switch` on. */
export type EngineErrorCode =
  /** No Restate server answers at the address. */
  | "server-unreachable"
  /** No worker that serves the agent is registered. */
  | "agent-unknown"
  /** The run was never started, or is no longer kept. */
  | "run-unknown"
  /** The run is over, so nobody hears what is said to it. */
  | "run-over"
  /** The question has another answer already. */
  | "already-answered"
  /** The server refused; the message has its words. */
  | "server-refused";

/** Thrown by the client; a run's own failure is a report instead. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** HTTP status of the server's answer, when there was one. */
  readonly status: number | undefined;

  constructor(code: EngineErrorCode, message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
    this.status = options.status;
  }
}

/** The client's error for what a request to the server threw. */
export function clientError(error: unknown, at: string, agent: string, runId: string): unknown {
  if (error instanceof EngineError) return error;
  if (!(error instanceof HttpCallError)) {
    // What cannot be made JSON is a TypeError as well.
    if (!(error instanceof TypeError) || !/^fetch failed|^terminated|URL/.test(error.message)) return error;
    return new EngineError(
      "server-unreachable",
      `no Restate server answers at ${at}: start one (npx restate-server), or give the address of its ingress as \`ingress\``,
      { cause: error },
    );
  }
  const { status } = error;
  const words = serverWords(error.responseText);
  if (status === 404 && /service|handler/i.test(words)) {
    return new EngineError(
      "agent-unknown",
      `no agent "${agent}" is registered with Restate: start a worker that serves it, and register the worker's address`,
      { status, cause: error },
    );
  }
  if (status === 404)
    return new EngineError("run-unknown", `${agent} has no run "${runId}", or it is no longer kept`, {
      status,
      cause: error,
    });
  return new EngineError("server-refused", `Restate refused (${status}): ${words}`, { status, cause: error });
}

/** What the server's answer says, short. */
export function serverWords(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "message" in body) return String(body.message).slice(0, 500);
  } catch {
    // Not JSON: as it is.
  }
  return text.slice(0, 500);
}
