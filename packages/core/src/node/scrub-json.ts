import { isObject } from "../internal/json.ts";
import { redact, redactPieces } from "../wire/redact.ts";

/**
 * JSON values that belong one after the other, such as the objects of a stream, without secrets in texts and names. A secret
 * that is spread over several of them is found where the texts stand in the same field.
 */
export function scrubJson(values: readonly unknown[], secrets: readonly string[]): readonly unknown[] {
  const texts = new Map<string, string[]>();
  for (const value of values) collect(value, "", texts);
  const clean = new Map([...texts].map(([field, pieces]) => [field, redactPieces(pieces, secrets).values()]));
  return values.map((value) => replace(value, "", clean, secrets));
}

function collect(value: unknown, field: string, texts: Map<string, string[]>): void {
  if (typeof value === "string") {
    const pieces = texts.get(field);
    if (pieces) pieces.push(value);
    else texts.set(field, [value]);
  } else if (Array.isArray(value)) for (const item of value) collect(item, `${field}[]`, texts);
  else if (isObject(value)) for (const [name, item] of Object.entries(value)) collect(item, `${field}.${name}`, texts);
}

/** Goes the same way as {@link collect}, so that each text meets its own replacement. */
function replace(
  value: unknown,
  field: string,
  clean: ReadonlyMap<string, Iterator<string>>,
  secrets: readonly string[],
): unknown {
  if (typeof value === "string") return clean.get(field)?.next().value;
  if (typeof value === "number") return secrets.includes(String(value)) ? "[redacted]" : value;
  if (Array.isArray(value)) return value.map((item) => replace(item, `${field}[]`, clean, secrets));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redact(name, secrets),
      replace(item, `${field}.${name}`, clean, secrets),
    ]),
  );
}
