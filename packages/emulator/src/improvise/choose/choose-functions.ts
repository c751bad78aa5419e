import type { Fields } from "../../internal/json.ts";
import { typeNameOf } from "../fill/named-values.ts";
import type { Clause } from "../read/clauses.ts";
import type { Material } from "../read/material.ts";
import { type Declared, type Parameter, VERBS } from "./declared.ts";

/** Below this, no function fits. */
const MIN_SCORE = 3;
/** At most so much for words that only the description or the parameters share with the request. */
const MAX_DESCRIBED = 3;
/** What only a function that does it can serve: to read a file is no way to delete it. */
const DEMANDS =
  /^(?:please\s+)?(?:delete|remove|move|rename|send|cancel|pay|transfer|publish|upload|copy|deploy|append)\b/i;
/** Whether a request is for a change that only a function made for it can do. */
export function demandsEffect({ text }: Clause): boolean {
  return DEMANDS.test(text);
}

const PAGES = /\b(?:pages?|sites?|websites?|articles?|links?|urls?|posts?|fetch|download|open|visit)\b/i;
const NO_TOOLS = /\b(?:without|don'?t|do not|never)\b.{0,20}\b(?:tools?|functions?|call)/i;

/** The functions that a request calls for: the best one, and others that the rest of its words name. */
export function functionsFor(clause: Clause, all: readonly Declared[]): readonly Declared[] {
  if (!clause.isRequest || NO_TOOLS.test(clause.text)) return [];
  const functions = all.filter((declared) => isNamed(declared, clause) || hasWhatItTakes(declared, clause));
  const named = functions.filter((declared) => isNamed(declared, clause));
  if (named.length > 0) return named.toSorted((left, right) => positionOf(left, clause) - positionOf(right, clause));
  const best = bestOf(clause, functions, clause.words);
  if (best === undefined) return [];
  // The words of what it is to look for, keep or say call for nothing else.
  if (best.parameters.some(takesWords)) return [best];
  const left = new Set([...clause.said].filter((word) => !best.weights.has(word)));
  const others = functions.filter(
    (other) =>
      other !== best &&
      !other.parameters.some(({ isRequired, kind }) => isRequired && kind?.label === "search text") &&
      other.name.some((word) => left.has(word) && !VERBS.has(word) && (other.weights.get(word) ?? 0) >= 3) &&
      hasValues(other, clause.material) &&
      scoreOf(other, clause, left) >= MIN_SCORE,
  );
  const chosen = others.length === 0 ? [] : others.filter((other) => !other.hasEffect).slice(0, 3);
  return [best, ...chosen];
}

/** Whether a request has what nobody can make up: a moment to count from, an address, the words to replace. */
function hasWhatItTakes({ parameters, replaces }: Declared, { material, refersBack, text }: Clause): boolean {
  const needs = (label: string): boolean =>
    parameters.some(({ isRequired, kind }) => isRequired && kind?.label === label);
  if (replaces && material.swap === undefined && material.quoted.length < 2) return false;
  if (refersBack) return true;
  if (needs("moment") && material.dates.length + material.times.length === 0) return false;
  return !needs("web address") || material.urls.length > 0 || PAGES.test(text);
}

function takesWords({ isRequired, kind, schema }: Parameter): boolean {
  return (
    isRequired &&
    kind !== undefined &&
    kind.isSpecific !== true &&
    WORDS.has(kind.label) &&
    schema["enum"] === undefined
  );
}

const WORDS = new Set(["search query", "search text", "text", "subject", "question"]);

/** The function that fits best, however badly. */
export function likeliestFunction(clauses: readonly Clause[], functions: readonly Declared[]): Declared | undefined {
  const scored = functions.map((declared) => ({
    declared,
    score: Math.max(0, ...clauses.map((clause) => scoreOf(declared, clause, clause.words))),
  }));
  return scored.toSorted((left, right) => right.score - left.score)[0]?.declared;
}

/** Whether a request names a function as it is declared, and not only with a word that happens to be its name. */
function isNamed(declared: Declared, clause: Clause): boolean {
  return /_|[a-z][A-Z]/.test(declared.declaration.name) && positionOf(declared, clause) >= 0;
}

function positionOf({ declaration }: Declared, { text }: Clause): number {
  const at = text.indexOf(declaration.name);
  return /\w/.test(text[at + declaration.name.length] ?? "") ? -1 : at;
}

function bestOf(clause: Clause, functions: readonly Declared[], words: ReadonlySet<string>): Declared | undefined {
  let best: Declared | undefined;
  let most = MIN_SCORE - 0.001;
  for (const declared of functions) {
    const score = scoreOf(declared, clause, words);
    if (score <= most) continue;
    best = declared;
    most = score;
  }
  return best;
}

function scoreOf(declared: Declared, clause: Clause, words: ReadonlySet<string>): number {
  const { name, weights, hasEffect, parameters } = declared;
  let named = 0;
  let described = 0;
  for (const word of words) {
    const weight = weights.get(word) ?? 0;
    // What is said counts a little more than what is only implied.
    const sure = clause.said.has(word) ? 0.25 : 0;
    if (weight > 1) named += weight + sure;
    else described += weight;
  }
  if (isNamed(declared, clause)) return 20;
  const values = parameters.reduce((sum, parameter) => sum + valueOf(parameter, clause.material), 0);
  const lexical = named + Math.min(MAX_DESCRIBED, described);
  if (lexical === 0) return 0;
  const all = name.every((word) => clause.said.has(word) && words.has(word))
    ? 3
    : name.every((word) => words.has(word))
      ? 1
      : 0;
  const unasked = hasEffect && !words.has(name[0] ?? "") ? 3 : 0;
  const misses = !hasEffect && demandsEffect(clause) ? 4 : 0;
  // `Add 90 minutes to 14:15` does not add two numbers.
  const numbers = parameters.filter(({ isRequired, schema }) => isRequired && isNumber(schema)).length;
  const given = clause.material.numbers.length;
  const lacks = given > 0 && given < numbers ? 3 : 0;
  return lexical + all + values - unasked - misses - lacks;
}

/** How much a value in the request speaks for a function that takes it, and a missing one against it. */
function valueOf({ kind, isRequired, schema }: Parameter, material: Material): number {
  if (kind === undefined) {
    return isRequired && isNumber(schema) ? (material.numbers.length > 0 ? 0.5 : -0.5) : 0;
  }
  const has = kind.from(material).length > 0;
  if (!isRequired) return has && kind.isSpecific === true ? 1 : 0;
  if (kind.isSpecific !== true) return has ? 0.5 : 0;
  // A statement is written from the schema, which another function tells.
  return has ? (kind.weight ?? 2) : kind.label === "SQL statement" ? 0 : -1;
}

function isNumber(schema: Fields): boolean {
  return /^(?:number|integer)$/.test(typeNameOf(schema));
}

/** Whether the request has a value for each thing that only the user can know. */
export function hasValues({ parameters }: Declared, material: Material): boolean {
  return parameters.every(
    ({ kind, isRequired }) => !isRequired || kind?.isSpecific !== true || kind.from(material).length > 0,
  );
}
