import type { Content } from "@pollux/core/wire";
import { type Answer, calls, join, json, parts, say, think } from "../brain/answer.ts";
import type { Brain, BrainTurn } from "../brain/brain.ts";
import { createRandom, type Random } from "../internal/random.ts";
import { groundedLater, runCode, SAMPLE_SOURCES, sayFound, searchFor, supportFound } from "./answer/built-in-tools.ts";
import { imagePart, speechPart } from "./answer/media.ts";
import { type AnsweredCall, sayResponses } from "./answer/say-responses.ts";
import { enumerated } from "./answer/say-values.ts";
import { sayMedia, sayWithoutTools, smallTalk, wasSaid, withRemark } from "./answer/talk.ts";
import { typedValue } from "./answer/typed-value.ts";
import { functionsFor } from "./choose/choose-functions.ts";
import { declaredOf } from "./choose/declared.ts";
import { forcedCall, type MadeCall, planCalls } from "./choose/plan-calls.ts";
import { type Clause, clausesOf } from "./read/clauses.ts";
import { type Material, materialOf } from "./read/material.ts";

/** Options of {@link improvise}. */
export interface ImproviseOptions {
  /** The same seed and the same conversation give the same answer. Default: `"pollux"`. */
  readonly seed?: string | undefined;
  /** Most steps with calls in one turn before it answers; mode `ANY` has no limit. Default: 3. */
  readonly maxSteps?: number | undefined;
  /** Whether the first answer of a conversation says that it is the emulator's. Default: true. Set it to false if your program says so itself. */
  readonly remark?: boolean | undefined;
}

/**
 * A brain for demos: calls the declared functions that fit the prompt, with arguments from it that satisfy their schemas, then
 * answers from the responses. Deterministic; the first answer of a conversation says that it is the emulator's.
 */
export function improvise(options: ImproviseOptions = {}): Brain {
  const { seed = "pollux", maxSteps = 3, remark = true } = options;
  return {
    answer(turn) {
      const random = createRandom(`${seed} ${turn.prompt} ${turn.sincePrompt.length}`);
      const clauses = clausesOf(turn.prompt);
      const searched = searchedIn(turn, clauses);
      const subject = searched ?? materialOf(turn.prompt);
      const found = searchFor(turn, subject, searched !== undefined);
      const { called, missing } = stepOf(turn, clauses, random, maxSteps);
      // Search parts belong to the first step of a turn.
      const fresh = !turn.sincePrompt.some((content) => content.parts.some((item) => item.toolCall !== undefined));
      const thinks = think(thoughtOn(turn, called, fresh ? found?.search?.kind : undefined));
      if (called !== undefined) return join(thinks, ...(found !== undefined && fresh ? [found] : []), called);
      return join(thinks, answerFor({ turn, subject, random, found, fresh, missing, remark }));
    },
  };
}

/** The thought of a step: why it calls these functions, or none. */
function thoughtOn(turn: BrainTurn, called: Answer | undefined, searches: string | undefined): string {
  const wanted = [
    ...(searches === undefined ? [] : [searches === "files" ? "the documents" : "a web search"]),
    ...(called?.parts.flatMap(({ part }) => part.functionCall?.name ?? []) ?? []),
  ];
  if (wanted.length > 0) return `To answer this, I need ${enumerated([...new Set(wanted)])}.`;
  const made = [...new Set(madeIn(turn.sincePrompt).map(({ name }) => name))];
  if (made.length > 0) return `I have what ${enumerated(made)} returned: that is enough to answer.`;
  return turn.functions.length === 0 ? "I can answer this right away." : "This calls for none of the functions.";
}

/** The subject of the service's own search: a question that no function answers. */
function searchedIn(turn: BrainTurn, clauses: readonly Clause[]): Material | undefined {
  if (smallTalk(turn) !== undefined) return undefined;
  const declared = turn.functions.map(declaredOf);
  return clauses.find((clause) => clause.isQuestion && functionsFor(clause, declared).length === 0)?.material;
}

/** The calls of this step; none if it is time to answer. */
function stepOf(
  turn: BrainTurn,
  clauses: readonly Clause[],
  random: Random,
  maxSteps: number,
): { readonly called?: Answer; readonly missing: readonly string[] } {
  const steps = turn.sincePrompt.filter(({ parts: given }) => given.some((item) => item.functionCall !== undefined));
  const isAny = turn.request.toolConfig?.functionCallingConfig?.mode?.toUpperCase() === "ANY";
  if (turn.functions.length === 0 || (!isAny && steps.length >= maxSteps)) return { missing: [] };
  const situation = { clauses, functions: turn.functions.map(declaredOf), made: madeIn(turn.sincePrompt), random };
  const { calls: planned, missing } =
    smallTalk(turn) !== undefined || (isAny && steps.length > 0) ? { calls: [], missing: [] } : planCalls(situation);
  const forced = isAny && planned.length === 0 ? forcedCall(situation, steps.length) : undefined;
  const wanted = forced === undefined ? planned : [forced];
  return { missing, ...(wanted.length > 0 && { called: calls(...wanted) }) };
}

/** The calls of a turn with their responses, which come in the same order. */
function madeIn(contents: readonly Content[]): MadeCall[] {
  return contents.flatMap((content, index) => {
    const made = content.parts.flatMap(({ functionCall }) => functionCall ?? []);
    const answers = contents
      .slice(index + 1)
      .find(({ parts: given }) => given.some(({ functionResponse }) => functionResponse !== undefined));
    const responses = (answers?.parts ?? []).flatMap(({ functionResponse }) => functionResponse ?? []);
    return made.map((call, at): MadeCall => {
      const response = responses.find(({ id }) => id !== undefined && id === call.id) ?? responses[at];
      return { name: call.name, args: call.args ?? {}, response };
    });
  });
}

interface AnswerInput {
  readonly turn: BrainTurn;
  /** Subject of the search. */
  readonly subject: Material;
  readonly random: Random;
  readonly found: Answer | undefined;
  readonly fresh: boolean;
  readonly missing: readonly string[];
  readonly remark: boolean;
}

function answerFor({ turn, subject, random, found, fresh, missing, remark }: AnswerInput): Answer {
  const { contents, generationConfig: config = {} } = turn.request;
  const answered = madeIn(turn.sincePrompt).flatMap(({ name, args, response }): AnsweredCall[] =>
    response === undefined ? [] : [{ name, args, response: response.response }],
  );
  const isEnum = config.responseMimeType === "text/x.enum";
  if (config.responseMimeType === "application/json" || isEnum) {
    const value = typedValue(turn, config.responseJsonSchema ?? config.responseSchema, answered, random);
    return join(isEnum ? say(String(value)) : json(value), ...(found === undefined ? [] : [found]));
  }
  if (turn.model.audioOutput) return parts(speechPart(turn.prompt, config.speechConfig));
  const remarked = (words: string): string => (remark ? withRemark(words, contents) : words);
  const code = answered.length === 0 ? runCode(turn, remarked) : undefined;
  if (code !== undefined) return found === undefined ? code : join(code, found);
  const results = found === undefined ? "" : sayFound(turn, found, subject);
  const isSample = found !== undefined && found.search?.kind !== "files" && !wasSaid(SAMPLE_SOURCES, contents);
  const pieces = [answered.length > 0 ? sayResponses(answered) : "", results, isSample ? SAMPLE_SOURCES : ""];
  const texts = pieces.filter((piece) => piece !== "");
  const sentences =
    texts.length > 0
      ? texts.join(texts.some((piece) => piece.includes("\n")) ? "\n\n" : " ")
      : (smallTalk(turn) ?? sayWithoutTools(turn, missing));
  const asking = contents[contents.length - turn.sincePrompt.length - 1]?.parts ?? [];
  const text = remarked(`${sentences}${sayMedia(asking, turn.files)}`);
  const modalities = config.responseModalities ?? [];
  if (turn.model.imageOutput && (modalities.length === 0 || modalities.some((one) => one.toUpperCase() === "IMAGE")))
    return join(say(text), parts(imagePart()));
  if (found === undefined) return say(text);
  const supported = supportFound(results, found);
  return join(say(text), fresh ? supported : groundedLater(supported, text, turn));
}
