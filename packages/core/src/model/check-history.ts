import { ConfigurationError } from "../errors/agent-error.ts";
import { isObject } from "../internal/json.ts";

/** What to say for words other vendors use. */
const INSTEAD: Readonly<Record<string, string | undefined>> = {
  assistant: 'say "model"',
  system: "give it to the agent as instructions",
  developer: "give it to the agent as instructions",
  tool: 'say "user", with functionResponse parts',
  function: 'say "user", with functionResponse parts',
};

/**
 * Checks what came from elsewhere and may be anything: roles, parts, where calls and responses may stand.
 *
 * @throws {ConfigurationError} Naming the place and what to write instead.
 */
export function checkHistory(contents: unknown): void {
  if (!Array.isArray(contents)) throw bad("it", "is not a list of contents");
  let userSpoke = false;
  for (const [i, content] of contents.entries()) {
    const at = `contents[${i}]`;
    const role: unknown = isObject(content) ? content["role"] : undefined;
    if (role !== "user" && role !== "model") {
      const word = typeof role === "string" ? role : String(role);
      throw bad(`${at}.role`, `is ${JSON.stringify(word)}; ${INSTEAD[word] ?? 'it must be "user" or "model"'}`);
    }
    const parts: unknown = (content as Record<string, unknown>)["parts"];
    if (!Array.isArray(parts) || parts.length === 0) throw bad(`${at}.parts`, "is not a list with at least one part");
    for (const [j, part] of parts.entries()) checkPart(part, role, `${at}.parts[${j}]`, !userSpoke);
    userSpoke ||= role === "user";
  }
}

function checkPart(part: unknown, role: "user" | "model", at: string, isFirst: boolean): void {
  if (!isObject(part) || Object.keys(part).every((key) => key === "thought" || key === "thoughtSignature"))
    throw bad(at, "has no data, such as text");
  const call = part["functionCall"];
  const response = part["functionResponse"];
  if (call !== undefined) {
    if (role !== "model") throw bad(at, "is a call, and only the model calls");
    if (isFirst) throw bad(at, "is a call before the user said anything; put the question before it");
    if (!isObject(call) || typeof call["name"] !== "string" || call["name"] === "")
      throw bad(`${at}.functionCall`, "has no name");
    if (call["args"] !== undefined && !isObject(call["args"]))
      throw bad(`${at}.functionCall.args`, "is not an object; parse it, if it is JSON text");
  }
  if (response !== undefined) {
    if (role !== "user") throw bad(at, "is a function response, and only the user's side responds");
    if (!isObject(response) || !isObject(response["response"]))
      throw bad(`${at}.functionResponse.response`, 'is not an object; put the value under "output"');
  }
}

function bad(at: string, problem: string): ConfigurationError {
  return new ConfigurationError(`The history cannot be imported: ${at} ${problem}.`);
}
