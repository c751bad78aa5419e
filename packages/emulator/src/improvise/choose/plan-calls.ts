import type { FunctionResponse, JsonObject } from "@pollux/core/wire";
import { isFields } from "../../internal/json.ts";
import type { Random } from "../../internal/random.ts";
import { rawWords } from "../../internal/words.ts";
import { fillSchema } from "../fill/fill-schema.ts";
import { typeNameOf } from "../fill/named-values.ts";
import { takesThing } from "../fill/text-value.ts";
import type { Clause } from "../read/clauses.ts";
import { type Material, materialOf } from "../read/material.ts";
import { thingsIn } from "../read/things.ts";
import { functionsFor, isNumber, likeliestFunction } from "./choose-functions.ts";
import { type Declared, type Parameter, schemaOf } from "./declared.ts";

/** A call to make. */
export interface PlannedCall {
  readonly name: string;
  readonly args: JsonObject;
}

/** A call that was made, with its response if there is one. */
export interface MadeCall extends PlannedCall {
  readonly response?: FunctionResponse | undefined;
}

/** The input for planning the calls of a step. */
export interface Situation {
  readonly clauses: readonly Clause[];
  readonly functions: readonly Declared[];
  /** The calls of this turn. */
  readonly made: readonly MadeCall[];
  readonly random: Random;
}

/** The calls of a step, and the values for other calls that the user must still give. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly missing: readonly string[];
}

const MAX_CALLS = 8;
/** Pronouns for something that another request names. */
const BACK = /\b(?:it|its|them|that)\b/i;

/** The calls that the prompt needs next: independent ones together; later ones wait until a call with an effect is answered. */
export function planCalls(situation: Situation): Plan {
  const { clauses, functions, made } = situation;
  const known = new Set(made.map(keyOf));
  const calls: PlannedCall[] = [];
  const missing: string[] = [];
  for (const clause of clauses) {
    if (clause.isLater && calls.some(({ name }) => hasEffect(name, functions))) break;
    for (const declared of functionsFor(clause, functions)) {
      const open = missingFrom(declared, clause.material);
      const around = clauses.filter((other) => other !== clause).map(({ material }) => material);
      const isGiven = open.every((parameter) => around.some((one) => hasValue(parameter, one)));
      // With one value known, the others are made up; with none, the user is asked.
      const knows = declared.parameters.some(
        (parameter) => parameter.isRequired && isAsked(parameter) && hasValue(parameter, clause.material),
      );
      if (!isGiven && !knows) {
        missing.push(...open.flatMap(nameOf));
        continue;
      }
      for (let at = 0; at < timesToCall(declared, clause.material); at += 1) {
        const elsewhere = open.length === 0 && !BACK.test(clause.text) ? [] : around;
        const call = callTo(declared, clause.material, elsewhere, situation, at);
        if (known.has(keyOf(call)) || calls.length >= MAX_CALLS) continue;
        known.add(keyOf(call));
        calls.push(call);
      }
    }
  }
  return { calls, missing };
}

/** A call that must be made although none fits: to the likeliest function, with the values that the prompt offers. */
export function forcedCall(situation: Situation, index: number): PlannedCall | undefined {
  const { clauses, functions } = situation;
  const likeliest = likeliestFunction(clauses, functions);
  if (likeliest === undefined) return undefined;
  const [material = materialOf(""), ...more] = clauses.map((clause) => clause.material);
  return callTo(likeliest, material, more, situation, index);
}

/** The required parameters that only the user can know and that a text has no value for. */
function missingFrom({ parameters }: Declared, material: Material): Parameter[] {
  return parameters.filter((parameter) => parameter.isRequired && isAsked(parameter) && !hasValue(parameter, material));
}

/** The name of a parameter in a question to the user; empty for a number. */
function nameOf({ name, kind }: Parameter): string[] {
  if (kind === undefined) return [];
  return [/^(?:place|id|name)$/.test(kind.label) ? rawWords(name).join(" ") : kind.label];
}

function hasEffect(name: string, functions: readonly Declared[]): boolean {
  return functions.some((declared) => declared.declaration.name === name && declared.hasEffect);
}

function isAsked({ kind, schema, isList }: Parameter): boolean {
  if (kind !== undefined) return kind.isSpecific === true;
  return !isList && schema["enum"] === undefined && isNumber(schema);
}

function hasValue({ kind }: Parameter, material: Material): boolean {
  return (kind === undefined ? material.numbers : kind.from(material)).length > 0;
}

/** The number of calls: one for each value in the request, if a function takes one value at a time. */
function timesToCall({ parameters, weights }: Declared, material: Material): number {
  const [only, ...more] = parameters.filter(({ isRequired, isList }) => isRequired && !isList);
  if (only === undefined || more.some(({ kind }) => kind?.isSpecific === true)) return 1;
  const isText = typeNameOf(only.schema) === "string" && only.schema["enum"] === undefined;
  if (isText && more.length === 0 && takesThing(only.kind))
    return Math.max(1, Math.min(MAX_CALLS, thingsIn(material, weights).length));
  if (only.kind?.isSpecific !== true) return 1;
  return Math.max(1, Math.min(MAX_CALLS, only.kind.from(material).length));
}

function callTo(
  { declaration, weights }: Declared,
  material: Material,
  elsewhere: readonly Material[],
  { random }: Situation,
  index: number,
): PlannedCall {
  const schema = schemaOf(declaration);
  const args =
    Object.keys(schema).length === 0
      ? {}
      : fillSchema(
          { type: "object", ...schema },
          { material, elsewhere, random, optional: "named", index, naming: weights },
        );
  return { name: declaration.name, args: isFields(args) ? args : {} };
}

function keyOf({ name, args }: PlannedCall): string {
  return `${name} ${JSON.stringify(Object.entries(args).toSorted(([left], [right]) => (left < right ? -1 : 1)))}`;
}
