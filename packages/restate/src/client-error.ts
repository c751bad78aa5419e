import { EngineError, unknownRun } from "@pollux/engine";
import { HttpCallError } from "@restatedev/restate-sdk-clients";

/** Converts the error of a request to the server into the client's error. */
export function clientError(error: unknown, at: string, agent: string, runId: string): unknown {
  if (error instanceof EngineError) return error;
  if (!(error instanceof HttpCallError)) {
    // A value that can't be converted to JSON is a TypeError as well.
    if (!(error instanceof TypeError) || !/^fetch failed|^terminated|URL/.test(error.message)) return error;
    return new EngineError(
      "server-unreachable",
      `no Restate server answers at ${at}: start one (npx restate-server), or pass the URL of its ingress as \`ingress\``,
      { cause: error },
    );
  }
  const { status } = error;
  const words = serverWords(error.responseText);
  if (status === 404 && /service|handler/i.test(words)) {
    return new EngineError(
      "agent-unknown",
      `no agent "${agent}" is registered with Restate: start a worker that serves it, and register the worker's URL`,
      { status, cause: error },
    );
  }
  if (status === 404) return unknownRun(agent, runId, { status, cause: error });
  return new EngineError("server-refused", `Restate refused the request (${status}): ${words}`, {
    status,
    cause: error,
  });
}

/** The server's error message, shortened. */
export function serverWords(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "message" in body) return String(body.message).slice(0, 500);
  } catch {
    // Not JSON: used as it is.
  }
  return text.slice(0, 500);
}
