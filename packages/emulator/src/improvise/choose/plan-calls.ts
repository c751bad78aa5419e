import type { FunctionResponse, JsonObject } from "@pollux/core/wire";
import { isFields } from "../../internal/json.ts";
import type { Random } from "../../internal/random.ts";
import { descriptionOf } from "../fill/text-kinds.ts";
import { takesThing } from "../fill/text-value.ts";
import { fillSchema, nameKey } from "../fill/fill-schema.ts";
import { typeNameOf } from "../fill/named-values.ts";
import type { Clause } from "../read/clauses.ts";
import { type Material, materialOf } from "../read/material.ts";
import { thingsIn } from "../read/things.ts";
import { rawWords, stem } from "../read/words.ts";
import { functionsFor, hasValues, likeliestFunction } from "./choose-functions.ts";
import { type Declared, type Parameter, schemaOf } from "./declared.ts";
import { foundValue } from "./found-values.ts";
import { followUpCalls } from "./follow-up.ts";

/** A call to make. */
export interface PlannedCall {
  readonly name: string;
  readonly args: JsonObject;
}

/** A call that was made, with its response if there is one. */
export interface MadeCall extends PlannedCall {
  readonly response?: FunctionResponse | undefined;
}

/** What the calls of a step are planned from. */
export interface Situation {
  readonly clauses: readonly Clause[];
  readonly functions: readonly Declared[];
  /** What was said before this prompt, the latest first. */
  readonly earlier: readonly Material[];
  /** The calls of the latest earlier turn that had any. */
  readonly before: readonly PlannedCall[];
  /** The calls of this turn. */
  readonly made: readonly MadeCall[];
  readonly random: Random;
}

/** The calls of a step, and what is missing for others: the names of functions with what the user has to say. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly missing: readonly string[];
}

const MAX_CALLS = 8;

/** The calls that the prompt needs next: independent ones at once, dependent ones when the others are answered. */
export function planCalls(situation: Situation): Plan {
  const { clauses, functions, made } = situation;
  const known = new Set(made.map(keyOf));
  const calls: PlannedCall[] = [];
  const missing: string[] = [];
  for (const [index, clause] of clauses.entries()) {
    if (clause.isLater && calls.some(({ name }) => clause.refersBack || hasEffect(name, functions))) break;
    const followUp = followUpCalls(clause, situation.before, functions);
    const chosen = followUp === undefined ? functionsFor(clause, functions) : [];
    const wanted = followUp ?? chosen.flatMap((declared) => callsTo(declared, clause, index, situation, missing));
    for (const call of wanted) {
      const key = keyOf(call);
      if (known.has(key) || calls.length >= MAX_CALLS) continue;
      known.add(key);
      calls.push(call);
    }
  }
  return { calls, missing };
}

/** A call that must be made although none fits: to the likeliest function, with whatever the conversation offers. */
export function forcedCall(situation: Situation, index: number): PlannedCall | undefined {
  const { clauses, functions } = situation;
  const likeliest = likeliestFunction(clauses, functions);
  if (likeliest === undefined) return undefined;
  const [clause] = clauses;
  return {
    name: likeliest.declaration.name,
    args: argumentsFor(
      likeliest,
      clause,
      clauses.map(({ material }) => material),
      situation,
      index,
    ),
  };
}

/** Calls to one function for one request; the function that finds what is missing instead, if there is one. */
function callsTo(
  declared: Declared,
  clause: Clause,
  index: number,
  situation: Situation,
  missing: string[],
): PlannedCall[] {
  const { clauses, earlier } = situation;
  const { name } = declared.declaration;
  // What a request leaves out was said in the one before it, in the one after it, or earlier in the conversation.
  const around = [...clauses.slice(0, index).toReversed(), ...clauses.slice(index + 1)].map(({ material }) => material);
  const elsewhere = clause.refersBack ? [...around, ...earlier] : around;
  const open = missingFrom(declared, clause.material);
  const source = open.length === 0 && !clause.refersBack ? [] : elsewhere;
  if (open.every((parameter) => elsewhere.some((one) => hasValue(parameter, one)))) {
    return Array.from({ length: timesToCall(declared, clause.material) }, (_, at) => ({
      name,
      args: argumentsFor(declared, clause, source, situation, at),
    }));
  }
  const provider = providerOf(declared, open, clause, situation.functions);
  if (provider !== undefined) {
    const answers = situation.made.filter((call) => call.name === provider.declaration.name);
    if (answers.length === 0)
      return [{ name: provider.declaration.name, args: argumentsFor(provider, clause, [], situation, 0) }];
    const responses = answers.flatMap(({ response }) => response ?? []);
    const found = open.map((parameter) => [nameKey(parameter.name), foundValue(parameter, responses, clause)] as const);
    if (found.every(([, value]) => value !== undefined))
      return [{ name, args: argumentsFor(declared, clause, elsewhere, situation, 0, new Map(found)) }];
    return [];
  }
  // Whoever knows something fills in the rest; whoever knows nothing asks.
  const knows = declared.parameters.some(
    (parameter) => parameter.isRequired && isAsked(parameter) && hasValue(parameter, clause.material),
  );
  if (knows) return [{ name, args: argumentsFor(declared, clause, elsewhere, situation, 0) }];
  missing.push(...open.slice(0, 2).map((parameter) => nameOf(parameter)));
  return [];
}

/** The required parameters that only the user can know and that a text has no value for. */
function missingFrom({ parameters }: Declared, material: Material): Parameter[] {
  return parameters.filter((parameter) => parameter.isRequired && isAsked(parameter) && !hasValue(parameter, material));
}

/** What to call a parameter before a person. */
function nameOf({ name, kind }: Parameter): string {
  if (kind === undefined) return "numbers";
  return /^(?:place|id|name)$/.test(kind.label) ? rawWords(name).join(" ") : kind.label;
}

function hasEffect(name: string, functions: readonly Declared[]): boolean {
  return functions.some((declared) => declared.declaration.name === name && declared.hasEffect);
}

function isAsked({ kind, schema, isList }: Parameter): boolean {
  if (kind !== undefined) return kind.isSpecific === true;
  return !isList && schema["enum"] === undefined && /^(?:number|integer)$/.test(typeNameOf(schema));
}

function hasValue({ kind }: Parameter, material: Material): boolean {
  return (kind === undefined ? material.numbers : kind.from(material)).length > 0;
}

/** The function that finds what another one needs. */
function providerOf(
  declared: Declared,
  open: readonly Parameter[],
  clause: Clause,
  functions: readonly Declared[],
): Declared | undefined {
  const described = `${declared.declaration.description ?? ""} ${open.map(({ schema }) => descriptionOf(schema)).join(" ")}`;
  const candidates = functions.filter(
    (other) => other !== declared && !other.hasEffect && hasValues(other, clause.material),
  );
  const named = candidates.find((other) => described.includes(other.declaration.name));
  if (named !== undefined) return named;
  const label = open[0]?.kind?.label;
  const finds = (...words: readonly string[]): Declared | undefined =>
    candidates.find(
      (other) =>
        words.some((word) => other.name.includes(stem(word))) &&
        (label !== "id" || other.name.some((word) => declared.name.includes(word))),
    );
  if (label === "SQL statement") return finds("schema", "tables");
  if (label === "web address") return finds("web") ?? finds("search");
  if (label === "file" && !declared.hasEffect) return finds("list");
  if (label === "id") return finds("search", "find", "list");
  return undefined;
}

/** Once for each value in the request, where a function takes one of several. */
function timesToCall({ parameters, weights }: Declared, material: Material): number {
  const single = parameters.filter(
    ({ isRequired, isList, kind }) => isRequired && !isList && kind?.isSpecific === true,
  );
  const [only, ...more] = parameters.filter(({ isRequired, isList }) => isRequired && !isList);
  const isText = only !== undefined && typeNameOf(only.schema) === "string" && only.schema["enum"] === undefined;
  if (isText && more.length === 0 && takesThing(only.kind))
    return Math.max(1, Math.min(MAX_CALLS, thingsIn(material, weights).length));
  const labels = single.map(({ kind }) => kind?.label);
  const counts = single.map(({ kind }) =>
    labels.filter((label) => label === kind?.label).length > 1 ? 1 : (kind?.from(material).length ?? 1),
  );
  return Math.max(1, Math.min(MAX_CALLS, ...(counts.length === 1 ? counts : [1])));
}

function argumentsFor(
  { declaration, weights }: Declared,
  clause: Clause | undefined,
  elsewhere: readonly Material[],
  { random }: Situation,
  index: number,
  known?: ReadonlyMap<string, unknown>,
): JsonObject {
  const schema = schemaOf(declaration);
  if (Object.keys(schema).length === 0) return {};
  const args = fillSchema(
    { type: "object", ...schema },
    {
      material: clause?.material ?? materialOf(""),
      elsewhere,
      random,
      optional: "named",
      implied: clause?.implied,
      index,
      known,
      naming: weights,
    },
  );
  return isFields(args) ? args : {};
}

function keyOf({ name, args }: PlannedCall): string {
  return `${name} ${JSON.stringify(Object.entries(args).toSorted(([left], [right]) => (left < right ? -1 : 1)))}`;
}
