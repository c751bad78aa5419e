/** An unchecked object of a recorded body. */
export type Chunk = { readonly [key: string]: unknown };

/**
 * The JSON objects of a recorded body: the body itself, the items of its list, or the text after each `data:`.
 *
 * Shares no code with the library or other checks, on purpose: shared code would hide its own mistakes.
 *
 * @returns Undefined for an incomplete body.
 */
export function chunksIn(body: string): readonly Chunk[] | undefined {
  try {
    const text = body.trim();
    if (text.startsWith("{")) return [JSON.parse(text) as Chunk];
    if (text.startsWith("[")) return JSON.parse(text) as readonly Chunk[];
    const data = text.split(/[\r\n]+/).flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trim()] : []));
    const bare = text.split(/[\r\n]+/).filter((line) => !/^(?:data|event|id|retry)?:/.test(line));
    if (bare[0]?.startsWith("{") === true) data.push(bare.join(" "));
    return data.filter((json) => json !== "[DONE]").map((json) => JSON.parse(json) as Chunk);
  } catch {
    return undefined;
  }
}
