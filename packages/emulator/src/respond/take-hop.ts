import type { Answer, AnswerPart } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import type { Remainder } from "../continuation.ts";
import { estimateAnswerPart } from "./estimate-tokens.ts";
import { CHARACTERS_PER_TOKEN, cutText, stopAt, thinkingTokens } from "./limit-output.ts";

/** How far the hops of a long answer go. */
export interface HopLimits {
  /** Tokens of one hop, thinking included. */
  readonly hopTokens: number;
  /** Tokens of the hops before. */
  readonly spent: number;
}

/** One hop of a long answer, and what is left for the next. */
export interface Hop {
  readonly answer: Answer;
  readonly rest: Remainder | undefined;
}

/**
 * Cuts an answer of a long-decode model at its hop: it ends with `CONTINUATION`, or with `MAX_TOKENS` where the hops together
 * reach the request's limit. Thinking comes first, so a hop can be all thought. An answer that says itself where it is cut is
 * left alone.
 */
export function takeHop(given: Answer, turn: BrainTurn, { hopTokens, spent }: HopLimits): Hop {
  if (given.finishReason === "CONTINUATION" || given.finishReason === "MAX_TOKENS") {
    return { answer: given, rest: undefined };
  }
  const { maxOutputTokens, stopSequences = [] } = turn.request.generationConfig ?? {};
  const parts = stopAt(given.parts, stopSequences);
  const budget = maxOutputTokens === undefined ? Number.POSITIVE_INFINITY : Math.max(0, maxOutputTokens - spent);
  const capacity = Math.min(hopTokens, budget);
  const thoughtTokens = given.thoughtTokens ?? thinkingTokens(parts, turn, maxOutputTokens);
  const thought = Math.min(thoughtTokens, capacity);
  // A part that does not fit into any hop is said in one, so that each hop gets on.
  const { said, left, tokens } = cutParts(parts, capacity - thought, thought === 0 && budget > 0);
  const answer = { ...given, parts: said, thoughtTokens: thought };
  if (left.length === 0 && thought === thoughtTokens) return { answer, rest: undefined };
  return {
    answer: { ...answer, grounding: undefined, finishReason: budget <= hopTokens ? "MAX_TOKENS" : "CONTINUATION" },
    rest: { answer: remaining(given, left, thoughtTokens - thought), spent: spent + thought + tokens },
  };
}

/** What is left of an answer; what built-in tools found belongs to the first hop, its sources to each. */
export function remaining(answer: Answer, parts: readonly AnswerPart[], thoughtTokens: number): Answer {
  return { ...answer, parts, thoughtTokens, fault: undefined, urlContext: undefined, toolUseTokens: undefined };
}

function cutParts(
  parts: readonly AnswerPart[],
  capacity: number,
  force: boolean,
): { readonly said: AnswerPart[]; readonly left: readonly AnswerPart[]; readonly tokens: number } {
  const said: AnswerPart[] = [];
  let tokens = 0;
  for (const [index, item] of parts.entries()) {
    const { text, thought } = item.part;
    const cost = thought === true ? 0 : estimateAnswerPart(item.part);
    if (tokens + cost <= capacity) {
      said.push(item);
      tokens += cost;
      continue;
    }
    const rest = parts.slice(index + 1);
    if (text === undefined) {
      if (!force || said.length > 0) return { said, left: parts.slice(index), tokens };
      return { said: [item], left: rest, tokens: cost };
    }
    const first = cutText(text, (capacity - tokens) * CHARACTERS_PER_TOKEN);
    if (first === "") return { said, left: parts.slice(index), tokens };
    said.push({ part: { ...item.part, text: first } });
    return { said, left: [{ part: { ...item.part, text: text.slice(first.length) } }, ...rest], tokens: capacity };
  }
  return { said, left: [], tokens };
}
