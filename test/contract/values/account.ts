import { type Leaf, leavesOf } from "./leaves.ts";
import { FINISH_WORDS, isCounter, MAY_VANISH, REPEATED } from "./may-vanish.ts";
import type { Chunk } from "./read-body.ts";

/** An account of an answer's values. */
export interface Account {
  /** Number of received values. */
  readonly values: number;
  /** How many of {@link Account.values} were kept, counting repetitions. */
  readonly kept: number;
  /** Rule → how many missing values it explains. */
  readonly vanished: ReadonlyMap<string, number>;
  /** Missing values without a rule, and values that were never received. */
  readonly lost: readonly string[];
}

/** Compares everything beside the parts of chunks with the kept values, one by one. */
export function accountFor(chunks: readonly Chunk[], kept: Chunk): Account {
  const received = chunks.map((chunk) => besideParts(chunk));
  const stayed = besideParts(kept);
  const counts = countIn(stayed);
  const all = new Map<string, number>();
  const vanished = new Map<string, number>();
  const lost: string[] = [];
  let count = 0;
  for (const [index, leaves] of received.entries()) {
    const inChunk = new Map<string, number>();
    for (const leaf of leaves) {
      const nth = increment(inChunk, leaf.identity);
      const before = all.get(leaf.identity) ?? 0;
      increment(all, leaf.identity);
      const stays = counts.get(leaf.identity) ?? 0;
      // A value that several chunks repeat must be kept once; one that is twice in a chunk, twice.
      if (nth <= stays) {
        if (before < stays) count++;
        else increment(vanished, REPEATED.rule);
        continue;
      }
      const rule = MAY_VANISH.find((one) => one.matches({ leaf, later: received.slice(index + 1), kept: stayed }));
      if (rule !== undefined) increment(vanished, rule.rule);
      else lost.push(`chunk ${index}: ${leaf.path} = ${short(leaf.value)} is gone`);
    }
  }
  for (const { path, identity, value, field } of stayed) {
    const isWord = field === "candidates[].finishReason" && FINISH_WORDS.includes(String(value));
    const isTranslated =
      isWord &&
      received.flat().some((leaf) => leaf.field === field && leaf.value === FINISH_WORDS.indexOf(String(value)));
    if (!all.has(identity) && !isTranslated && field !== "candidates[].content.role")
      lost.push(`${path} = ${short(value)} came from nowhere`);
  }
  const counters = received.findLast((leaves) => leaves.some(isCounter))?.filter(isCounter) ?? [];
  const mixed = stayed.filter(isCounter).find(({ identity }) => !counters.some((leaf) => leaf.identity === identity));
  if (mixed !== undefined) lost.push(`${mixed.path} = ${short(mixed.value)} is not of the last chunk with counters`);
  return { values: received.flat().length, kept: count, vanished, lost };
}

/** Leaves outside of parts; token counts and candidate indices as text count as numbers. */
function besideParts(chunk: Chunk): readonly Leaf[] {
  const leaves = leavesOf(withoutParts(chunk)).filter(({ path }) => path !== "");
  return leaves.map((leaf) => {
    const { field, path, value } = leaf;
    const isText =
      (isCounter(leaf) || field === "candidates[].index") && typeof value === "string" && /^\d+$/.test(value);
    return isText ? { field, path, identity: `${field} = ${value}`, value: Number(value) } : leaf;
  });
}

/** Leaves out parts, which are compared in order. */
function withoutParts(chunk: Chunk): Chunk {
  const candidates = chunk["candidates"] as readonly (Chunk | null)[] | null | undefined;
  if (candidates === null || candidates === undefined) return chunk;
  return {
    ...chunk,
    candidates: candidates.map((candidate) => {
      const content = candidate?.["content"] as Chunk | null | undefined;
      if (content === null || content === undefined || !("parts" in content)) return candidate;
      const { parts: _parts, ...besides } = content;
      const { content: _content, ...rest } = candidate as Chunk;
      return Object.keys(besides).length === 0 ? rest : { ...rest, content: besides };
    }),
  };
}

function countIn(leaves: readonly Leaf[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { identity } of leaves) increment(counts, identity);
  return counts;
}

function increment(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
