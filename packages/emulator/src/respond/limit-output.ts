import type { Answer, AnswerPart } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import { estimateAnswerPart } from "./estimate-tokens.ts";

/** Characters per token in this emulator's estimates. */
export const CHARACTERS_PER_TOKEN = 4;

/** An answer within the limits of the request, and the tokens spent on thinking. */
export interface LimitedAnswer {
  readonly answer: Answer;
  readonly thoughtTokens: number;
}

/** Applies stop sequences and the output limit, which includes thinking. */
export function limitOutput(answer: Answer, turn: BrainTurn): LimitedAnswer {
  const { maxOutputTokens, stopSequences = [] } = turn.request.generationConfig ?? {};
  const stopped = stopAt(answer.parts, stopSequences);
  const thoughtTokens = answer.thoughtTokens ?? thinkingTokens(stopped, turn, maxOutputTokens);
  if (maxOutputTokens === undefined) return { answer: { ...answer, parts: stopped }, thoughtTokens };

  let left = maxOutputTokens - thoughtTokens;
  const kept: AnswerPart[] = [];
  for (const item of stopped) {
    if (item.part.thought === true) {
      kept.push(item);
      continue;
    }
    const tokens = estimateAnswerPart(item.part);
    if (tokens <= left) {
      left -= tokens;
      kept.push(item);
      continue;
    }
    const text = item.part.text === undefined ? "" : cutText(item.part.text, Math.max(0, left) * CHARACTERS_PER_TOKEN);
    if (text !== "") kept.push({ part: { ...item.part, text } });
    return {
      answer: { ...answer, parts: kept, finishReason: "MAX_TOKENS" },
      thoughtTokens: Math.min(thoughtTokens, maxOutputTokens),
    };
  }
  return { answer: { ...answer, parts: kept }, thoughtTokens };
}

/** Truncates text without splitting a surrogate pair. */
export function cutText(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Ends parts at a stop sequence. */
export function stopAt(parts: readonly AnswerPart[], stopSequences: readonly string[]): readonly AnswerPart[] {
  for (const [index, { part }] of parts.entries()) {
    if (part.text === undefined || part.thought === true) continue;
    const { text } = part;
    const at = Math.min(...stopSequences.map((stop) => text.indexOf(stop)).filter((found) => found !== -1));
    if (Number.isFinite(at)) return [...parts.slice(0, index), { part: { ...part, text: text.slice(0, at) } }];
  }
  return parts;
}

/** Estimates the tokens spent on thinking about an answer. */
export function thinkingTokens(
  parts: readonly AnswerPart[],
  turn: BrainTurn,
  maxOutputTokens: number | undefined,
): number {
  const { model, request } = turn;
  const { thinkingBudget, thinkingLevel } = request.generationConfig?.thinkingConfig ?? {};
  const level = (
    thinkingLevel ?? (thinkingBudget === undefined ? model.thinking.defaultLevel : undefined)
  )?.toUpperCase();
  const off = model.thinking.kind === "none" || thinkingBudget === 0 || level === "MINIMAL";
  // Visible thoughts are billed even if the model thinks as little as possible.
  const summaries = parts
    .filter(({ part }) => part.thought === true)
    .reduce((sum, { part }) => sum + estimateAnswerPart(part), 0);
  if (off) return summaries;
  const output = parts
    .filter(({ part }) => part.thought !== true)
    .reduce((sum, { part }) => sum + estimateAnswerPart(part), 0);
  const factor = { LOW: 0.25, HIGH: 1 }[level ?? ""] ?? 0.5;
  const estimate = Math.max(summaries, 16 + Math.round(Math.min(output, 2000) * factor));
  const budget = thinkingBudget === undefined || thinkingBudget < 0 ? Number.POSITIVE_INFINITY : thinkingBudget;
  // An estimate must not use up a small limit; an answer meant to end that way sets its thought tokens itself.
  return Math.min(estimate, budget, Math.floor((maxOutputTokens ?? Number.POSITIVE_INFINITY) / 2));
}
