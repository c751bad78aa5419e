import type { Fields } from "../../internal/json.ts";
import { stem } from "../../internal/words.ts";
import { typeNameOf } from "../fill/named-values.ts";
import type { Clause } from "../read/clauses.ts";
import type { Material } from "../read/material.ts";
import { type Declared, type Parameter, VERBS } from "./declared.ts";

/** Below this, no function fits. */
const MIN_SCORE = 3;
/** The most points for words that only the description or the parameters share with the request. */
const MAX_DESCRIBED = 3;
const MAX_FUNCTIONS = 4;
/** Verbs that need a function with an effect, or with the verb in its name: reading a file doesn't delete it. */
const DEMANDS =
  /^(?:please\s+)?(delete|remove|move|rename|send|cancel|pay|transfer|upload|create|make|write|replace|change)\b/i;

/** The functions that a request calls for: the ones it names, or the best one and others that its remaining words name. */
export function functionsFor(clause: Clause, all: readonly Declared[]): readonly Declared[] {
  if (!clause.isRequest) return [];
  const named = all.filter((declared) => positionOf(declared, clause) >= 0);
  if (named.length > 0) return named.toSorted((left, right) => positionOf(left, clause) - positionOf(right, clause));
  const fitting = all.filter((declared) => scoreOf(declared, clause, clause.words) >= MIN_SCORE);
  // A function that lacks a value only the user knows comes second.
  const callable = fitting.filter((declared) => hasValues(declared, clause.material));
  const best = likeliestFunction([clause], callable) ?? likeliestFunction([clause], fitting);
  if (best === undefined) return [];
  // Words that this function searches for, keeps or sends don't call for another one.
  if (best.parameters.some(takesWords)) return [best];
  const chosen = [best];
  const left = new Set(clause.ownWords);
  for (const other of [best, ...callable]) {
    const isNext = other !== best && !other.hasEffect && other.name.some((word) => left.has(word) && !VERBS.has(word));
    if (isNext && scoreOf(other, clause, left) >= MIN_SCORE) chosen.push(other);
    for (const word of other === best || isNext ? other.weights.keys() : []) left.delete(word);
  }
  return chosen.slice(0, MAX_FUNCTIONS);
}

function takesWords({ isRequired, kind, schema }: Parameter): boolean {
  return isRequired && kind !== undefined && kind.isSpecific !== true && schema["enum"] === undefined;
}

/** The function with the best score for any of the requests, even a low one. */
export function likeliestFunction(clauses: readonly Clause[], functions: readonly Declared[]): Declared | undefined {
  const scored = functions.map((declared) => ({
    declared,
    score: Math.max(0, ...clauses.map((clause) => scoreOf(declared, clause, clause.words))),
  }));
  return scored.toSorted((left, right) => right.score - left.score)[0]?.declared;
}

/** The position of a function's declared name in a request; -1 for an ordinary word that happens to be a name. */
function positionOf({ declaration: { name } }: Declared, { text }: Clause): number {
  const at = /_|[a-z][A-Z]/.test(name) ? text.indexOf(name) : -1;
  return /\w/.test(text[at + name.length] ?? "") ? -1 : at;
}

function scoreOf(declared: Declared, clause: Clause, words: ReadonlySet<string>): number {
  const { name, weights, hasEffect, parameters } = declared;
  let named = 0;
  let described = 0;
  for (const word of words) {
    const weight = weights.get(word) ?? 0;
    // A word of the request counts a little more than an implied one.
    if (weight > 1) named += weight + (clause.ownWords.has(word) ? 0.25 : 0);
    else described += weight;
  }
  const asks = words.has(name[0] ?? "");
  // A verb alone matches nothing, unless the name has nothing else.
  const isMeant = name.some((word) => words.has(word) && !VERBS.has(word)) || name.every((word) => VERBS.has(word));
  const lexical = (isMeant ? named : 0) + Math.min(MAX_DESCRIBED, described);
  const demanded = DEMANDS.exec(clause.text)?.[1];
  if (lexical === 0 || (demanded !== undefined && !hasEffect && !name.includes(stem(demanded.toLowerCase())))) return 0;
  const values = parameters.reduce((sum, parameter) => sum + valueOf(parameter, clause.material), 0);
  const all = name.every((word) => words.has(word)) ? 2 : 0;
  return lexical + all + values - (hasEffect && !asks ? 3 : 0);
}

/** Points for a value in the request that a parameter takes; negative for a missing value. */
function valueOf({ kind, isRequired, schema }: Parameter, material: Material): number {
  if (kind === undefined) return isRequired && isNumber(schema) ? (material.numbers.length > 0 ? 0.5 : -0.5) : 0;
  const has = kind.from(material).length > 0;
  if (kind.isSpecific !== true) return isRequired && has ? 0.5 : 0;
  if (!isRequired) return has ? 1 : 0;
  return has ? (kind.weight ?? 2) : -1;
}

/** Whether a schema is for numbers. */
export function isNumber(schema: Fields): boolean {
  return /^(?:number|integer)$/.test(typeNameOf(schema));
}

/** Whether the request has a value for each required parameter that only the user can know. */
function hasValues({ parameters }: Declared, material: Material): boolean {
  return parameters.every(
    ({ kind, isRequired }) => !isRequired || kind?.isSpecific !== true || kind.from(material).length > 0,
  );
}
