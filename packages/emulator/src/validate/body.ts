import { isDeeperThan } from "../internal/json.ts";
import { checkFields, type FieldScope } from "./fields.ts";
import type { Problem } from "./problem.ts";

/** Deepest nesting the service's parser accepts. */
const MAX_DEPTH = 100;

/** A parsed body: as received, and normalized. */
export interface ReadBody {
  readonly raw: unknown;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Parses a body and checks its fields against a message (E-00 to E-03c); an empty body is an empty message. */
export function readBody(
  body: string,
  message: string,
  scope: FieldScope,
): ReadBody | readonly [Problem, ...Problem[]] {
  const parsed = parse(body);
  if ("rule" in parsed) return [parsed];
  const { value, problems } = checkFields(parsed.json, message, scope);
  const [first, ...rest] = problems;
  return first ? [first, ...rest] : { raw: parsed.json, value };
}

function parse(body: string): { readonly json: Readonly<Record<string, unknown>> } | Problem {
  if (body.trim() === "") return { json: {} };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return syntaxProblem(body);
  }
  if (isDeeperThan(json, MAX_DEPTH)) {
    return { rule: "E-00", message: "Invalid JSON payload received. Message too deep. Max recursion depth reached." };
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return { json: { ...json } };
  return { rule: "E-00", message: 'Invalid JSON payload received. Unknown name "": Root element must be a message.' };
}

function syntaxProblem(body: string): Problem {
  const message = isCutOff(body)
    ? "Invalid JSON payload received. Unexpected end of string. Expected , or } after key:value pair."
    : `Invalid JSON payload received. Unexpected token.\n${body.trimStart().slice(0, 40)}\n^`;
  return { rule: "E-00", message };
}

/** Whether appending text could still make it valid JSON: brackets or a string are open at the end. */
function isCutOff(body: string): boolean {
  const bare = body.replaceAll(/"(?:[^"\\]|\\.)*"/gs, "");
  if (bare.includes('"')) return /^\s*[[{]/.test(body);
  return /^\s*[[{]/.test(bare) && bare.replaceAll(/[^[{]/g, "").length > bare.replaceAll(/[^\]}]/g, "").length;
}
