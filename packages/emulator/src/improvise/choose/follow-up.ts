import type { JsonObject } from "@pollux/core/wire";
import type { Clause } from "../read/clauses.ts";
import type { Material } from "../read/material.ts";
import { rawWords } from "../read/words.ts";
import type { Declared, Parameter } from "./declared.ts";
import type { PlannedCall } from "./plan-calls.ts";

const ELLIPSIS = /^(?:(?:and|ok|okay|so)[,\s]+)?(?:what about|how about|and|now|same for|in|for|at|on)\b/i;
const MAX_WORDS = 6;

/** Whether a request only says what changes in the one before it. */
export function isElliptic({ text }: Clause): boolean {
  const length = rawWords(text).length;
  return length <= MAX_WORDS && (ELLIPSIS.test(text) || length <= 2);
}

/** The calls of the turn before with what a short question changes: `and in Rome?` after one about Oslo. Undefined for any other request. */
export function followUpCalls(
  clause: Clause,
  before: readonly PlannedCall[],
  functions: readonly Declared[],
): readonly PlannedCall[] | undefined {
  if (before.length === 0 || !isElliptic(clause)) return undefined;
  const names = new Set<string>();
  const calls = before.flatMap(({ name, args }): PlannedCall[] => {
    const declared = functions.find(({ declaration }) => declaration.name === name);
    if (declared === undefined || names.has(name)) return [];
    names.add(name);
    const changes = declared.parameters.map((parameter) => valuesFor(parameter, args, clause.material));
    const count = Math.max(0, ...changes.map((values) => values.length));
    return Array.from({ length: Math.min(count, 8) }, (_, index) => ({
      name,
      args: changed(args, declared.parameters, changes, index),
    }));
  });
  return calls.length > 0 ? calls : undefined;
}

function valuesFor(
  { name, kind, isList, isRequired }: Parameter,
  args: JsonObject,
  material: Material,
): readonly unknown[] {
  if (kind === undefined || !(isRequired || name in args || kind.label === "date")) return [];
  if (kind.isSpecific !== true && !/^(?:date|time|moment|folder)$/.test(kind.label)) return [];
  const values = kind.from(material).filter((value) => value !== args[name]);
  return isList && values.length > 0 ? [values] : values;
}

function changed(
  args: JsonObject,
  parameters: readonly Parameter[],
  changes: readonly (readonly unknown[])[],
  index: number,
): JsonObject {
  const entries = parameters.flatMap(({ name }, at) => {
    const values = changes[at] ?? [];
    return values.length === 0 ? [] : [[name, values[index % values.length]] as const];
  });
  return { ...args, ...Object.fromEntries(entries) };
}
