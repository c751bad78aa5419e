import { prettyJson } from "../internal/json.ts";
import type { LoggedRequest, Note } from "../request-log.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { refuse as refusalOf } from "../validate/error-body.ts";
import type { Profile } from "../validate/types.ts";
import { answerHeaders } from "./headers.ts";
import { refuse } from "./refuse.ts";

const UNARY = { streamed: false, sse: false };

/** Converts a {@link ResourceAnswer} to a response, and logs it. */
export function resourceResponse(
  answer: ResourceAnswer,
  profile: Profile,
  note: Note,
  noteEnd: (changes: Partial<LoggedRequest["answered"]>) => void,
): Response {
  const { operation, headers } = answer;
  note.answered({ operation });
  if ("problems" in answer) {
    const refusal = refusalOf(answer.problems, { profile, stream: false, sse: false });
    noteEnd({ status: refusal.status, rule: refusal.rule, complete: true });
    const [{ message, status }] = answer.problems;
    const code = status?.toLowerCase() ?? "invalid_request";
    if (answer.wordCodes === true) return refuse({ ...refusal, body: prettyJson({ error: { message, code } }) }, UNARY);
    return refuse({ ...refusal, headers: { ...refusal.headers, ...headers } }, UNARY);
  }
  noteEnd({ status: 200, model: answer.model, complete: true });
  const { body } = answer;
  return new Response(body === undefined ? "" : prettyJson(body), {
    headers: { ...answerHeaders(profile), ...headers },
  });
}
