import type { Usage } from "@pollux/core";
import { type Chunk, chunksIn } from "./read-body.ts";

/** Counters of a usage, with the service's names. */
const COUNTERS = [
  ["inputTokens", "promptTokenCount"],
  ["cachedTokens", "cachedContentTokenCount"],
  ["outputTokens", "candidatesTokenCount"],
  ["thoughtTokens", "thoughtsTokenCount"],
  ["toolUseTokens", "toolUsePromptTokenCount"],
  ["totalTokens", "totalTokenCount"],
] as const;

/** The first counter that differs from the recorded one, or from the sum of the recorded ones; undefined if none does. */
export function wrongUsage(usage: Usage, answers: readonly (readonly Chunk[])[]): string | undefined {
  const recorded = answers.map(countersOf);
  for (const [ours, theirs] of COUNTERS) {
    if (ours === "totalTokens" && recorded.some((counters) => counters[theirs] === undefined)) continue;
    const expected = recorded.reduce((sum, counters) => sum + Number(counters[theirs] ?? 0), 0);
    if (usage[ours] !== expected) return `usage.${ours} is ${JSON.stringify(usage[ours])}, recorded ${expected}`;
  }
  return undefined;
}

/** The same for recorded bodies. */
export function wrongSum(usage: Usage, bodies: readonly string[]): string | undefined {
  return wrongUsage(
    usage,
    bodies.map((body) => chunksIn(body) ?? []),
  );
}

/** The usage of the last chunk that counts tokens. */
function countersOf(chunks: readonly Chunk[]): Chunk {
  const isCounter = (name: string): boolean => name.endsWith("TokenCount");
  const usages = chunks.map(({ usageMetadata }) => (usageMetadata ?? {}) as Chunk);
  return usages.findLast((usage) => Object.keys(usage).some(isCounter)) ?? {};
}
