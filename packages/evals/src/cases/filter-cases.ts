import type { Json } from "@pollux/core";
import type { EvalCase } from "./eval-case.ts";

/** Selects cases that match all given conditions. */
export interface CaseFilter {
  /** Any of these. */
  readonly ids?: readonly string[] | undefined;
  /** It has any of these. */
  readonly tags?: readonly string[] | undefined;
  /** It has all of these, or its suite does; a value that is not a text is compared as JSON. */
  readonly metadata?: { readonly [name: string]: Json } | undefined;
}

/** @param suite - Its cases have its metadata, too. */
export function filterCases<Case extends Pick<EvalCase, "id" | "tags" | "metadata">>(
  cases: readonly Case[],
  { ids, tags, metadata = {} }: CaseFilter,
  suite: { readonly metadata?: { readonly [name: string]: Json } | undefined } = {},
): readonly Case[] {
  return cases.filter((one) => {
    const known = { ...suite.metadata, ...one.metadata };
    return (
      (ids === undefined || ids.includes(one.id)) &&
      (tags === undefined || tags.some((tag) => one.tags?.includes(tag) === true)) &&
      Object.entries(metadata).every(([name, value]) => Object.hasOwn(known, name) && text(known[name]) === text(value))
    );
  });
}

/** So that `n=3`, from a command line, finds the number. */
function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : JSON.stringify(value);
}
