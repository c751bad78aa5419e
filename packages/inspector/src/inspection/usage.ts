import type { Usage } from "@pollux/core";
import type { TurnUsage } from "./inspection.ts";
import { fieldsOf, numberOf } from "./read-values.ts";

/** A stored usage; what is no number counts as 0. */
export function readUsage(value: unknown): Usage {
  const fields = fieldsOf(value);
  return {
    requests: numberOf(fields["requests"]) ?? 0,
    inputTokens: numberOf(fields["inputTokens"]) ?? 0,
    cachedTokens: numberOf(fields["cachedTokens"]) ?? 0,
    outputTokens: numberOf(fields["outputTokens"]) ?? 0,
    thoughtTokens: numberOf(fields["thoughtTokens"]) ?? 0,
    toolUseTokens: numberOf(fields["toolUseTokens"]) ?? 0,
    totalTokens: numberOf(fields["totalTokens"]) ?? 0,
    contextTokens: numberOf(fields["contextTokens"]) ?? 0,
    searchQueries: numberOf(fields["searchQueries"]) ?? 0,
    incomplete: fields["incomplete"] === true,
  };
}

/** The usage of a turn's row. */
export function turnUsage(usage: Usage): TurnUsage {
  const row: { -readonly [Name in keyof TurnUsage]: TurnUsage[Name] } = {};
  if (usage.inputTokens !== 0) row.prompt = usage.inputTokens;
  if (usage.cachedTokens !== 0) row.cached = usage.cachedTokens;
  if (usage.outputTokens !== 0) row.output = usage.outputTokens;
  if (usage.thoughtTokens !== 0) row.thoughts = usage.thoughtTokens;
  if (usage.toolUseTokens !== 0) row.toolUse = usage.toolUseTokens;
  if (usage.totalTokens !== 0) row.total = usage.totalTokens;
  if (usage.searchQueries !== 0) row.searchQueries = usage.searchQueries;
  if (usage.requests !== 0) row.requests = usage.requests;
  return row;
}
