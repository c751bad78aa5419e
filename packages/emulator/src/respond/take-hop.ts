import type { Answer, AnswerPart } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import type { Remainder } from "../continuation.ts";
import { estimateAnswerPart } from "./estimate-tokens.ts";
import { CHARACTERS_PER_TOKEN, cutText, stopAt, thinkingTokens } from "./limit-output.ts";

/** Limits on the hops of a long answer. */
export interface HopLimits {
  /** Tokens per hop, including thinking. */
  readonly hopTokens: number;
  /** Tokens of the previous hops. */
  readonly spent: number;
}

/** One hop of a long answer, and the rest. */
export interface Hop {
  readonly answer: Answer;
  readonly rest: Remainder | undefined;
}

/**
 * Splits off one hop of a long-decode model's answer: it ends with `CONTINUATION`, or with `MAX_TOKENS` if the hops together reach
 * the request's limit. Thinking comes first, so a hop may contain only thoughts. An answer that sets its own end is not changed.
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
  // A part that is too long for any hop is sent whole, so that every hop makes progress.
  const { sent, left, tokens } = cutParts(parts, capacity - thought, thought === 0 && budget > 0);
  const answer = { ...given, parts: sent, thoughtTokens: thought };
  if (left.length === 0 && thought === thoughtTokens) return { answer, rest: undefined };
  return {
    answer: { ...answer, grounding: undefined, finishReason: budget <= hopTokens ? "MAX_TOKENS" : "CONTINUATION" },
    rest: { answer: remaining(given, left, thoughtTokens - thought), spent: spent + thought + tokens },
  };
}

/** The rest of an answer; built-in tools' results belong to the first hop, their sources to every hop. */
export function remaining(answer: Answer, parts: readonly AnswerPart[], thoughtTokens: number): Answer {
  return { ...answer, parts, thoughtTokens, fault: undefined, urlContext: undefined, toolUseTokens: undefined };
}

function cutParts(
  parts: readonly AnswerPart[],
  capacity: number,
  force: boolean,
): { readonly sent: AnswerPart[]; readonly left: readonly AnswerPart[]; readonly tokens: number } {
  const sent: AnswerPart[] = [];
  let tokens = 0;
  for (const [index, item] of parts.entries()) {
    const { text, thought } = item.part;
    const cost = thought === true ? 0 : estimateAnswerPart(item.part);
    if (tokens + cost <= capacity) {
      sent.push(item);
      tokens += cost;
      continue;
    }
    const rest = parts.slice(index + 1);
    if (text === undefined) {
      if (!force || sent.length > 0) return { sent, left: parts.slice(index), tokens };
      return { sent: [item], left: rest, tokens: cost };
    }
    const first = cutText(text, (capacity - tokens) * CHARACTERS_PER_TOKEN);
    if (first === "") return { sent, left: parts.slice(index), tokens };
    sent.push({ part: { ...item.part, text: first } });
    return { sent, left: [{ part: { ...item.part, text: text.slice(first.length) } }, ...rest], tokens: capacity };
  }
  return { sent, left: [], tokens };
}
