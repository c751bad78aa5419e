import { isObject } from "../internal/json.ts";

/** What is wrong with a stored value that should be a list of contents; `undefined` for nothing. */
export function problemOfContents(value: unknown, at: string): string | undefined {
  return problemOfList(value, at, problemOfContent);
}

/** What is wrong with a stored value that should be a content. */
export function problemOfContent(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  const { role, parts } = value;
  if (role !== "user" && role !== "model") return `${at}.role is neither "user" nor "model"`;
  return problemOfList(parts, `${at}.parts`, (part, where) => problemOfPart(part, where, role));
}

/** What is wrong with a stored value that should be a part. */
export function problemOfPart(value: unknown, at: string, role: "user" | "model"): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  const { text, thoughtSignature, functionCall: call, functionResponse: response } = value;
  if (text !== undefined && typeof text !== "string") return `${at}.text is not a text`;
  if (thoughtSignature !== undefined && typeof thoughtSignature !== "string")
    return `${at}.thoughtSignature is not a text`;
  if (call !== undefined) {
    if (role !== "model") return `${at} is a call, and only the model calls`;
    if (!isObject(call) || typeof call["name"] !== "string" || call["name"] === "")
      return `${at}.functionCall has no name`;
    if (call["id"] !== undefined && typeof call["id"] !== "string") return `${at}.functionCall.id is not a text`;
    if (call["args"] !== undefined && !isObject(call["args"])) return `${at}.functionCall.args is not an object`;
  }
  if (response !== undefined) {
    if (role !== "user") return `${at} is a function response, and only the user's side responds`;
    if (!isObject(response) || typeof response["name"] !== "string" || response["name"] === "")
      return `${at}.functionResponse has no name`;
    if (response["id"] !== undefined && typeof response["id"] !== "string")
      return `${at}.functionResponse.id is not a text`;
    if (!isObject(response["response"])) return `${at}.functionResponse.response is not an object`;
  }
  return undefined;
}

/** The first problem in a list. */
export function problemOfList(
  value: unknown,
  at: string,
  problemOf: (item: unknown, at: string) => string | undefined,
): string | undefined {
  if (!Array.isArray(value)) return `${at} is not a list`;
  for (const [index, item] of value.entries()) {
    const problem = problemOf(item, `${at}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** True for a call that the service could not read. Its answer is not used, and so not in the history. */
export function isNameless(part: unknown): boolean {
  return isObject(part) && isObject(part["functionCall"]) && (part["functionCall"]["name"] ?? "") === "";
}
