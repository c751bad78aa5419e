import type { FunctionDeclaration } from "@pollux/core/wire";
import { type Fields, isFields } from "../../internal/json.ts";
import { rawWords, stem, wordsOf } from "../read/words.ts";
import { typeNameOf } from "../fill/named-values.ts";
import { kindOf, type TextKind } from "../fill/text-kinds.ts";

/** A function, read once for the whole prompt. */
export interface Declared {
  readonly declaration: FunctionDeclaration;
  /** Words of its name that say what it does, stemmed; the most telling ones first. */
  readonly name: readonly string[];
  readonly weights: ReadonlyMap<string, number>;
  /** True if calling it changes something. */
  readonly hasEffect: boolean;
  /** True if it takes the words to replace in a text. */
  readonly replaces: boolean;
  readonly parameters: readonly Parameter[];
}

/** A parameter of a function. */
export interface Parameter {
  readonly name: string;
  readonly schema: Fields;
  readonly isRequired: boolean;
  /** What kind of text it or its items are; undefined for other types and for free text. */
  readonly kind: TextKind | undefined;
  readonly isList: boolean;
}

const EMPTY = new Set(
  "get fetch do make tool function use current my the a an of for by to in on from and or with retrieve return given perform handle api v1 v2".split(
    " ",
  ),
);

/** Verbs that change something, with the words that ask for it. */
const EFFECTS = new Set(
  "write create add insert append update edit change modify set put delete remove cancel send post publish book reserve order buy purchase pay transfer move rename copy save upload schedule assign close open start stop restart deploy turn switch invite invoice charge refund".split(
    " ",
  ),
);
/** Of these, those that also look something up: `open_page`, `add(2, 3)`. */
const HARMLESS = new Set(["open", "add", "start", "order", "set", "close", "book", "stop", "charge", "put"]);

/** Verbs in the names of functions, stemmed. */
export const VERBS: ReadonlySet<string> = new Set(
  [
    ...EFFECTS,
    ..."read list search find lookup look show display query ask run execute calculate compute convert translate count check summarize fetch describe evaluate shift".split(
      " ",
    ),
  ].map(stem),
);

const MAX_DESCRIPTION = 400;
const MAX_PARAMETERS = 60;

/** Reads a function's declaration. */
export function declaredOf(declaration: FunctionDeclaration): Declared {
  const raw = rawWords(declaration.name.slice(0, 200));
  const telling = raw.filter((word) => !EMPTY.has(word));
  const name = [...new Set((telling.length > 0 ? telling : raw).map(stem))];
  const parameters = parametersOf(declaration);
  const weights = new Map<string, number>();
  const weigh = (words: Iterable<string>, weight: number): void => {
    for (const word of words) if (!weights.has(word)) weights.set(word, weight);
  };
  for (const word of name) weights.set(word, name.length === 1 ? 4 : VERBS.has(word) ? 2 : 3);
  const description = (declaration.description ?? "").slice(0, MAX_DESCRIPTION).split(/(?<=[.!?])\s/)[0] ?? "";
  weigh(wordsOf(description.replaceAll(/\([^)]{0,200}\)/g, " ")), 1);
  weigh(wordsOf(parameters.map((parameter) => parameter.name).join(" ")), 1);
  weigh(
    parameters.flatMap(({ schema }) => [...wordsOf(listOf(schema["enum"]).slice(0, 50).join(" "))]),
    1,
  );
  const verb = telling[0] ?? "";
  return {
    declaration,
    name,
    weights,
    hasEffect: EFFECTS.has(verb) && !(HARMLESS.has(verb) && telling.length === 1),
    replaces: replacesText(declaration),
    parameters,
  };
}

/** `old_text` beside a new one, at any depth. */
function replacesText(declaration: FunctionDeclaration): boolean {
  const fields = isFields(schemaOf(declaration)["properties"]) ? schemaOf(declaration)["properties"] : {};
  return /"old_?(?:text|string|str|words?)":/i.test(JSON.stringify(fields).slice(0, 20_000));
}

function parametersOf(declaration: FunctionDeclaration): Parameter[] {
  const schema = schemaOf(declaration);
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  const required = new Set(listOf(schema["required"]));
  return Object.entries(properties)
    .slice(0, MAX_PARAMETERS)
    .map(([name, given]) => {
      const own: Fields = isFields(given) ? given : {};
      const isList = typeNameOf(own) === "array";
      const items = isList && isFields(own["items"]) ? { description: own["description"], ...own["items"] } : own;
      const isText = typeNameOf(items) === "string" && items["enum"] === undefined;
      const kind = isText ? kindOf({ name, schema: items }) : undefined;
      return { name, schema: own, isRequired: required.has(name), kind, isList };
    });
}

/** The parameters of a function, in either spelling; an empty object if it has none. */
export function schemaOf(declaration: FunctionDeclaration): Fields {
  return declaration.parametersJsonSchema ?? declaration.parameters ?? {};
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
