import type { FunctionDeclaration } from "@pollux/core/wire";
import { type Fields, isFields } from "../internal/json.ts";
import { type Material, wordsOf } from "./material.ts";
import { hasMaterialFor, materialFor } from "./text-value.ts";

/** A function and how well it matches. */
export interface Fit {
  readonly declaration: FunctionDeclaration;
  readonly score: number;
  /** False if it needs specific information that the conversation doesn't contain yet. */
  readonly ready: boolean;
}

// Everyday words that imply a function without naming it.
const RELATED: Readonly<Record<string, string>> = {
  weather: "umbrella rain rainy sunny forecast temperature cold warm snow wind jacket",
  time: "clock hour now",
  calculate: "calculator sum plus minus multiply multiplied divided times percent add math much many",
  list: "files folder directory",
  read: "open show inside contents summarise summarize",
  search: "find look lookup google web",
  convert: "exchange currency celsius fahrenheit",
  send: "email mail message notify tell",
  book: "reserve reservation flight hotel table",
  order: "buy purchase status package shipment",
};

// Words that occur in nearly every description.
const EMPTY_WORDS = wordsOf(
  "a an the of in on to for and or is are get gets set find this that with from by at returns return current given one it its be use used using when what how do does name value string number list",
);

const MIN_SCORE = 2;
const MAX_CALLS = 4;

/** The functions that match a prompt, best first; at most four. */
export function fittingFunctions(functions: readonly FunctionDeclaration[], material: Material): Fit[] {
  const fits = functions.map((declaration) => ({
    declaration,
    score: scoreOf(declaration, material),
    ready: isReady(declaration, material),
  }));
  const best = Math.max(0, ...fits.map((fit) => fit.score));
  return fits
    .filter((fit) => fit.score >= MIN_SCORE && fit.score * 3 >= best)
    .toSorted((left, right) => right.score - left.score)
    .slice(0, MAX_CALLS);
}

/** The function that matches best, however badly. */
export function likeliestFunction(
  functions: readonly FunctionDeclaration[],
  material: Material,
): FunctionDeclaration | undefined {
  return functions.toSorted((left, right) => scoreOf(right, material) - scoreOf(left, material))[0];
}

/** How often to call one function in parallel: once for each value in the prompt for its only required string. */
export function timesToCall(declaration: FunctionDeclaration, material: Material): number {
  const texts = requiredTexts(declaration);
  const [first] = texts;
  if (texts.length !== 1 || first === undefined) return 1;
  return Math.min(MAX_CALLS, Math.max(1, materialFor({ ...first, index: 0 }, material).length));
}

function scoreOf(declaration: FunctionDeclaration, { words, text }: Material): number {
  const name = [...wordsOf(declaration.name)].filter((word) => !EMPTY_WORDS.has(word));
  const described = [...wordsOf(declaration.description ?? "")].filter(
    (word) => !EMPTY_WORDS.has(word) && !name.includes(word),
  );
  const parameters = [...wordsOf(Object.keys(propertiesOf(declaration)).join(" "))].filter(
    (word) => !EMPTY_WORDS.has(word),
  );
  const named = text.includes(declaration.name) ? 20 : 0;
  const inName = name.filter((word) => words.has(word)).length * 3;
  const related = name.filter((word) => [...wordsOf(relatedTo(word))].some((other) => words.has(other))).length * 2;
  const inDescription = described.filter((word) => words.has(word)).length;
  const inParameters = parameters.filter((word) => words.has(word)).length;
  return named + inName + related + inDescription + inParameters;
}

function relatedTo(word: string): string {
  return Object.entries(RELATED).find(([key]) => wordsOf(key).has(word))?.[1] ?? "";
}

function isReady(declaration: FunctionDeclaration, material: Material): boolean {
  return requiredTexts(declaration).every((place) => hasMaterialFor({ ...place, index: 0 }, material));
}

function requiredTexts(declaration: FunctionDeclaration): { name: string; schema: Fields }[] {
  const required = schemaOf(declaration)["required"];
  const properties = propertiesOf(declaration);
  return (Array.isArray(required) ? required : []).flatMap((name) => {
    const schema = properties[String(name)];
    const isText =
      isFields(schema) && String(schema["type"]).toLowerCase() === "string" && schema["enum"] === undefined;
    return isText ? [{ name: String(name), schema }] : [];
  });
}

function propertiesOf(declaration: FunctionDeclaration): Fields {
  const properties = schemaOf(declaration)["properties"];
  return isFields(properties) ? properties : {};
}

/** The parameters of a function, in either spelling; an empty object if it has none. */
export function schemaOf(declaration: FunctionDeclaration): Fields {
  return declaration.parametersJsonSchema ?? declaration.parameters ?? {};
}
