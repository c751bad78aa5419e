import type { FunctionDeclaration } from "@pollux/core/wire";
import { type Fields, isFields } from "../../internal/json.ts";
import { rawWords, stem, wordsOf } from "../../internal/words.ts";
import { typeNameOf } from "../fill/named-values.ts";
import { kindOf, type TextKind } from "../fill/text-kinds.ts";

/** A function declaration, prepared for matching once per prompt. */
export interface Declared {
  readonly declaration: FunctionDeclaration;
  /** Words of its name without filler words, stemmed. */
  readonly name: readonly string[];
  /** Points for the words of a request, stemmed; words of its name get the most. */
  readonly weights: ReadonlyMap<string, number>;
  /** True if calling it changes something. */
  readonly hasEffect: boolean;
  readonly parameters: readonly Parameter[];
}

/** A parameter of a function. */
export interface Parameter {
  readonly name: string;
  readonly schema: Fields;
  readonly isRequired: boolean;
  /** The kind of text that it or its items are; undefined for other types and for free text. */
  readonly kind: TextKind | undefined;
  readonly isList: boolean;
}

const EMPTY = new Set(
  "get fetch do make tool function use current my the a an of for by to in on from and or with return api".split(" "),
);

/** Verbs that change something, with their past tense. */
export const EFFECTS: ReadonlyMap<string, string> = new Map(
  "write wrote|create created|add added|append appended|edit edited|change changed|set set|put put|delete deleted|remove removed|cancel canceled|send sent|post posted|book booked|reserve reserved|buy bought|pay paid|transfer transferred|move moved|rename renamed|save saved|update updated|upload uploaded|schedule scheduled|submit submitted|start started|stop stopped|turn turned"
    .split("|")
    .map((pair) => {
      const [verb = "", past = ""] = pair.split(" ");
      return [verb, past];
    }),
);

/** Verbs in the names of functions, stemmed. */
export const VERBS: ReadonlySet<string> = new Set(
  [...EFFECTS.keys(), ..."read list search find look show query ask run compute convert count check".split(" ")].map(
    stem,
  ),
);

const MAX_DESCRIPTION = 400;
const MAX_PARAMETERS = 60;

/** Reads a function's declaration. */
export function declaredOf(declaration: FunctionDeclaration): Declared {
  const raw = rawWords(declaration.name.slice(0, 200));
  const telling = raw.filter((word) => !EMPTY.has(word));
  const name = [...new Set((telling.length > 0 ? telling : raw).map(stem))];
  const parameters = parametersOf(declaration);
  const [description = ""] = (declaration.description ?? "").slice(0, MAX_DESCRIPTION).split(/(?<=[.!?])\s/);
  const described = wordsOf(`${description} ${parameters.map((parameter) => parameter.name).join(" ")}`);
  const weights = new Map([...described].map((word) => [word, 1]));
  for (const word of name) weights.set(word, name.length === 1 ? 4 : VERBS.has(word) ? 2 : 3);
  // `add` alone is arithmetic.
  return { declaration, name, weights, hasEffect: EFFECTS.has(telling[0] ?? "") && telling.length > 1, parameters };
}

function parametersOf(declaration: FunctionDeclaration): Parameter[] {
  const schema = schemaOf(declaration);
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties)
    .slice(0, MAX_PARAMETERS)
    .map(([name, given]) => {
      const own: Fields = isFields(given) ? given : {};
      const isList = typeNameOf(own) === "array";
      const items = isList && isFields(own["items"]) ? { description: own["description"], ...own["items"] } : own;
      const isText = typeNameOf(items) === "string" && items["enum"] === undefined;
      const kind = isText ? kindOf({ name, schema: items }) : undefined;
      return { name, schema: own, isRequired: required.includes(name), kind, isList };
    });
}

/** The parameters of a function, in either spelling; an empty object if it has none. */
export function schemaOf(declaration: FunctionDeclaration): Fields {
  return declaration.parametersJsonSchema ?? declaration.parameters ?? {};
}
