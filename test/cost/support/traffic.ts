import { expect } from "vitest";

/** One request, as sent and as billed. */
export interface Billed {
  readonly body: string;
  /** `promptTokenCount`. */
  readonly prompt: number;
  /** `cachedContentTokenCount`; 0 when the service named none. */
  readonly cached: number;
}

/** Tokens of a block of the emulator's implicit cache. */
export const BLOCK = 128;

/** Bodies of requests and their answers, without refused ones. */
export function billed({
  bodies,
  answers,
}: {
  readonly bodies: readonly string[];
  readonly answers: readonly string[];
}): Billed[] {
  return bodies.flatMap((body, index) => {
    const answer = answers[index] ?? "";
    const prompt = lastNumber(answer, "promptTokenCount");
    if (prompt === undefined) return [];
    // All chunks of an answer have the same counts of the prompt.
    return { body, prompt, cached: lastNumber(answer, "cachedContentTokenCount") ?? 0 };
  });
}

function lastNumber(text: string, field: string): number | undefined {
  const found = [...text.matchAll(new RegExp(`"${field}": ?(\\d+)`, "g"))].at(-1)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A body up to the end of its last content. */
export function prefixOf(body: string): string {
  const start = body.indexOf('"contents":[');
  if (start < 0) throw new Error("the body has no contents");
  return body.slice(0, endOfList(body, body.indexOf("[", start)));
}

/** A body up to its contents: instructions and tools. */
export function headOf(body: string): string {
  return body.slice(0, body.indexOf('"contents":['));
}

/** Fields of a body, in the order of the request. */
export function fieldsOf(body: string): readonly string[] {
  // None of them has a numeric name, so `JSON.parse` keeps their order.
  return Object.keys(JSON.parse(body) as object);
}

/** @returns The index of the bracket that closes the one at `from`. */
function endOfList(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      for (at++; json[at] !== '"'; at++) if (json[at] === "\\") at++;
    } else if (character === "[" || character === "{") depth++;
    else if ((character === "]" || character === "}") && --depth === 0) return at;
  }
  throw new Error("the contents do not end");
}

/** Fields before the contents; all others may change from turn to turn and come after them. */
const BEFORE: ReadonlySet<string> = new Set(["systemInstruction", "tools", "cachedContent"]);

/**
 * Expects that each request, in order, starts with all bytes of the previous one up to the end of its contents, and that the service
 * used its cache as far as possible.
 *
 * @param breaks - Indices of requests that start over.
 */
export function expectStablePrefix(requests: readonly Billed[], breaks: readonly number[] = []): void {
  for (const [index, { body, cached }] of requests.entries()) {
    const fields = fieldsOf(body);
    const misplaced = fields.slice(0, fields.indexOf("contents")).filter((field) => !BEFORE.has(field));
    expect(misplaced, `law 4: fields of request ${index + 1} that stand before its contents`).toEqual([]);

    const before = requests[index - 1];
    if (before === undefined) continue;
    const prefix = prefixOf(before.body);
    const isStable = body.startsWith(prefix);
    const name = `request ${index + 1} begins with the ${prefix.length} characters of request ${index}`;
    expect(isStable, `law 4: ${name}`).toBe(!breaks.includes(index));
    if (!isStable) continue;
    const least = Math.floor(before.prompt / BLOCK) * BLOCK;
    expect(cached, `tokens of request ${index + 1} that the cache knew from request ${index}`).toBeGreaterThanOrEqual(
      least,
    );
  }
}
