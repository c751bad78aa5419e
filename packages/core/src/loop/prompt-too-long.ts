import { ApiStatusError } from "../errors/api-errors.ts";

/**
 * True when the service refused a request because its prompt is longer than the model takes.
 *
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export function isPromptTooLong(error: unknown): boolean {
  return error instanceof ApiStatusError && /input token count.*exceeds the maximum/is.test(error.message);
}
