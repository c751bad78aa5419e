import { isDeepStrictEqual } from "node:util";
import { redact, redactCut } from "../wire/redact.ts";
import { scrubJson } from "./scrub-json.ts";

/**
 * A recorded body without secrets. Its layout stays as it came wherever nothing had to go; what is no JSON, such as the last
 * line of a stream that was cut off, is taken as text.
 */
export function scrubBody(body: string, secrets: readonly string[]): string {
  const whole = parse(body);
  if (whole !== undefined) {
    const [clean] = scrubJson([whole], secrets);
    return isDeepStrictEqual(clean, whole) ? body : inLayout(body, clean, secrets, 2);
  }
  // Lines at even places, what ends them at odd ones.
  const lines = body.split(/(\r\n|\n|\r)/);
  const events = lines.flatMap((line, at) => {
    const value = line.startsWith("data:") ? parse(line.slice("data:".length)) : undefined;
    return value === undefined ? [] : [{ at, value }];
  });
  const clean = scrubJson(
    events.map(({ value }) => value),
    secrets,
  );
  const replaced = new Map(events.map(({ at, value }, i) => [at, { value, clean: clean[i] }]));
  return lines
    .map((line, at) => {
      const event = replaced.get(at);
      if (event === undefined) return redactCut(line, secrets);
      if (isDeepStrictEqual(event.clean, event.value)) return line;
      return `data: ${inLayout(line.slice("data:".length).trim(), event.clean, secrets)}`;
    })
    .join("");
}

/** The text with its secrets replaced in place where that comes to the same, otherwise written anew. */
function inLayout(json: string, clean: unknown, secrets: readonly string[], indent?: number): string {
  const text = redact(json, secrets);
  return isDeepStrictEqual(parse(text), clean) ? text : JSON.stringify(clean, null, indent);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
