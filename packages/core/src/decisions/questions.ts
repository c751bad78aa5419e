import { isObject } from "../internal/json.ts";

/** A question, as the service takes it; made by {@link yesNo}, {@link choice} or {@link score}. */
export interface Question<Answer = YesNoAnswer | ChoiceAnswer<string> | ScoreAnswer<string>> {
  readonly type: "noul" | "choice" | "score";
  readonly instructions: string;
  readonly criteria?: readonly string[] | { readonly [name: string]: string | undefined } | undefined;
  /** Never set: the type of its answer. */
  readonly "~answer"?: Answer | undefined;
}

/** Questions by id: 1 to 64 letters, digits, `_` or `-`. */
export type Questions = Readonly<Record<string, Question>>;

/** Probabilities are from 0 to 1; the service keeps those of a yes within 0.01 and 0.99. `confidence` is that of what was answered. */
export type YesNoAnswer = { readonly yes: boolean; readonly probability: number; readonly confidence: number };

/** The most probable option, and the probability of each. */
export interface ChoiceAnswer<Option extends string> {
  readonly choice: Option;
  readonly probabilities: { readonly [Name in Option]: number };
  readonly confidence: number;
}

/** `score` is a mean, 0 for the lowest level, so it may lie between two; `level` is the most probable one. */
export interface ScoreAnswer<Level extends string> {
  readonly score: number;
  readonly level: Level;
  readonly probabilities: { readonly [Name in Level]: number };
  readonly confidence: number;
}

/** Asks whether something is so. @param means - What counts as yes and as no, where that needs saying. */
export function yesNo(instructions: string, means?: { yes?: string; no?: string }): Question<YesNoAnswer> {
  const criteria = means && { true_description: means.yes, false_description: means.no };
  return { type: "noul", instructions, ...(criteria && { criteria }) };
}

/** Asks which of 2 to 255 options applies. @param options - Their names, or an object with a description of each. */
export function choice<const Option extends string>(
  instructions: string,
  options: readonly Option[] | { readonly [Name in Option]: string },
): Question<ChoiceAnswer<Option>> {
  // Without a description, an option stands for itself.
  const criteria = Array.isArray(options) ? Object.fromEntries(options.map((name) => [name, name])) : options;
  return { type: "choice", instructions, criteria };
}

/** Asks how far something is on a scale. @param levels - 2 to 255 from lowest to highest; the service advises up to 10. */
export function score<const Level extends string>(
  instructions: string,
  levels: readonly Level[],
): Question<ScoreAnswer<Level>> {
  return { type: "score", instructions, criteria: levels };
}

/** Levels, or names of options; none of a yes/no question. */
export function namesOf({ type, criteria = [] }: Question): readonly string[] {
  return type === "noul" ? [] : Array.isArray(criteria) ? criteria : Object.keys(criteria);
}

/** @throws {TypeError} For what the service would refuse, with the question's id. */
export function checkQuestions(questions: Questions): void {
  const entries = Object.entries(isObject(questions) ? questions : {});
  if (entries.length < 1 || entries.length > 1_000)
    throw new TypeError(`decide() takes 1 to 1,000 questions, got ${entries.length}`);
  for (const [id, question] of entries) {
    const isId = /^[\w-]{1,64}$/.test(id);
    const problem = isId ? findProblem(question) : "an id has 1 to 64 letters, digits, underscores or hyphens";
    if (problem !== undefined) throw new TypeError(`question ${JSON.stringify(id.slice(0, 100))}: ${problem}`);
  }
}

function findProblem(question: Question): string | undefined {
  if (!isObject(question) || !["noul", "choice", "score"].includes(question.type))
    return "make it with yesNo(), choice() or score()";
  const { type, instructions, criteria = {} } = question;
  if (!isFilled(instructions)) return "its instructions must be a text that is not empty; media go into the input";
  const names = namesOf(question);
  if (type !== "noul" && (names.length < 2 || names.length > 255 || new Set(names).size < names.length))
    return `it needs 2 to 255 different ${type === "score" ? "levels" : "options"}, got ${new Set(names).size}`;
  if (type === "choice" && !names.every((name) => /^(?!\s)\P{Cc}{1,128}(?<!\s)$/u.test(name)))
    return "the name of an option must have 1 to 128 characters, no spaces around it and no control characters";
  const texts = Object.values(criteria).filter((text) => type !== "noul" || text !== undefined);
  return texts.every(isFilled) ? undefined : "its levels and descriptions must be texts that are not empty";
}

function isFilled(text: unknown): boolean {
  return typeof text === "string" && text.trim() !== "";
}
