import type { Usage } from "@pollux/core";
import { NO_USAGE } from "@pollux/core/model";
import { fieldsOf, numberOf } from "./read-values.ts";

/** Usage of a turn, without zeros. */
export type TurnUsage = Partial<Usage>;

/** A stored usage; invalid counts are 0. */
export function readUsage(value: unknown): Usage {
  const fields = fieldsOf(value);
  const counts = Object.keys(NO_USAGE).map((name) => [name, numberOf(fields[name]) ?? 0]);
  return { ...NO_USAGE, ...Object.fromEntries(counts), incomplete: fields["incomplete"] === true };
}

export function turnUsage(usage: Usage): TurnUsage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== 0 && value !== false));
}

/** Labels of the counts. */
export const USAGE_NAMES: readonly (readonly [title: string, name: Exclude<keyof Usage, "incomplete">])[] = [
  ["prompt", "inputTokens"],
  ["cached", "cachedTokens"],
  ["output", "outputTokens"],
  ["thoughts", "thoughtTokens"],
  ["tool use", "toolUseTokens"],
  ["searches", "searchQueries"],
  ["requests", "requests"],
];
