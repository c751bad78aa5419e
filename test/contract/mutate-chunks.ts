import { isJson, type Json, listOf } from "./recordings.ts";

/** Splits a text-only chunk into two; the members beside the content go with the second. */
export function cutText(chunk: Json): readonly Json[] {
  const [candidate, ...others] = listOf(chunk["candidates"]).filter(isJson);
  const content = candidate?.["content"];
  const parts = isJson(content) ? listOf(content["parts"]) : [];
  const [part] = parts;
  if (!isJson(content) || others.length > 0 || parts.length !== 1 || !isJson(part)) return [chunk];
  const { text } = part;
  const plain = Object.keys(part).every((key) => key === "text" || key === "thought");
  if (typeof text !== "string" || text.length < 2 || !plain) return [chunk];
  // Not inside a surrogate pair: the service never does that.
  const characters = Array.from(text);
  const half = Math.floor(characters.length / 2);
  const [first, second] = [characters.slice(0, half).join(""), characters.slice(half).join("")];
  const index = candidate?.["index"];
  return [
    {
      candidates: [
        { content: { ...content, parts: [{ ...part, text: first }] }, ...(index !== undefined && { index }) },
      ],
    },
    { ...chunk, candidates: [{ ...candidate, content: { ...content, parts: [{ ...part, text: second }] } }] },
  ];
}

/** Joins neighboring chunks if the first of them has nothing but parts. */
export function joinPairs(chunks: readonly Json[]): readonly Json[] {
  const joined: Json[] = [];
  for (const chunk of chunks) {
    const before = joined.at(-1);
    const merged = before === undefined ? undefined : joinTwo(before, chunk);
    if (merged === undefined) joined.push(chunk);
    else joined[joined.length - 1] = merged;
  }
  return joined;
}

function joinTwo(first: Json, second: Json): Json | undefined {
  const [a, b] = [onlyCandidate(first), onlyCandidate(second)];
  if (a === undefined || b === undefined) return undefined;
  const known = new Set(["content", "index"]);
  if (Object.keys(a).some((key) => !known.has(key))) return undefined;
  const [ours, theirs] = [a["content"], b["content"]];
  if (!isJson(ours) || !isJson(theirs) || !Array.isArray(ours["parts"]) || !Array.isArray(theirs["parts"]))
    return undefined;
  const parts = [...(ours["parts"] as Json[]), ...(theirs["parts"] as Json[])];
  return { ...first, ...second, candidates: [{ ...b, content: { ...theirs, parts } }] };
}

function onlyCandidate(chunk: Json): Json | undefined {
  const candidates = listOf(chunk["candidates"]).filter(isJson);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Usage with an unknown counter. */
export function withMore(usage: unknown): unknown {
  return isJson(usage) ? { ...usage, dreamTokenCount: 3 } : usage;
}

/** Moves offsets by three bytes, as if an edit had shortened the text before them. */
export function drifted(support: Json): Json {
  const { segment } = support;
  if (!isJson(segment) || typeof segment["text"] !== "string") return support;
  const shift = (at: unknown): number => (typeof at === "number" ? at : 0) + 3;
  const { startIndex, endIndex } = segment;
  return { ...support, segment: { ...segment, startIndex: shift(startIndex), endIndex: shift(endIndex) } };
}
