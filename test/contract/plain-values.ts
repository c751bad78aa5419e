import { isJson, type Json } from "./recordings.ts";

/**
 * A chunk as every reader must interpret it: null means absent in a candidate and in a part, and a number as text is a number.
 */
export function plainValues(chunk: Json): Json {
  const { candidates, usageMetadata } = chunk;
  return {
    ...chunk,
    ...(Array.isArray(candidates) && {
      candidates: candidates.map((one) => (isJson(one) ? plainCandidate(one) : one)),
    }),
    ...(isJson(usageMetadata) && { usageMetadata: plainUsage(usageMetadata) }),
  };
}

function plainCandidate(given: Json): Json {
  const candidate = withoutNulls(given);
  const { index, content } = candidate;
  const parts = isJson(content) ? content["parts"] : undefined;
  return {
    ...candidate,
    ...(index !== undefined && { index: numberIn(index) }),
    ...(isJson(content) && Array.isArray(parts) && { content: { ...content, parts: parts.flatMap(plainPart) } }),
  };
}

/** Undefined for a part with nothing but false or null members. */
function plainPart(part: unknown): readonly unknown[] {
  if (!isJson(part)) return [part];
  const plain = withoutNulls(part);
  return Object.keys(plain).length === 0 && Object.keys(part).length > 0 ? [] : [plain];
}

function plainUsage(usage: Json): Json {
  const entries = Object.entries(usage).map(([name, value]) => [
    name,
    name.endsWith("TokenCount") ? numberIn(value) : value,
  ]);
  return Object.fromEntries(entries) as Json;
}

function withoutNulls(given: Json): Json {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

function numberIn(value: unknown): unknown {
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
}
