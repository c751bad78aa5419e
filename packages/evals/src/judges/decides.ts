import {
  decide,
  type DecideOptions,
  type Question,
  type ScoreAnswer,
  yesNo,
  type YesNoAnswer,
} from "@pollux/core/decisions";
import { percent } from "../statistics/rates.ts";
import { describeFailure } from "./ask-model.ts";
import { type Judge, type LabelOptions, makeJudge } from "./make-judge.ts";

/** Options of {@link decides}: a judge's, and those of `decide()`. */
export type DecidesOptions = LabelOptions & Omit<DecideOptions, "run" | "signal">;

/**
 * `decide()` as a judge, with calibrated probabilities and no reasons. The score of a yes/no question is the probability of a yes; the score of a
 * scale is the position on it, from 0 for the lowest level to 1 for the highest. Experimental, as `decide()` is.
 *
 * @param question - A text is a yes/no question.
 * @throws {TypeError} Without a question, or for a threshold outside of 0 to 1.
 */
export function decides(
  question: string | Question<YesNoAnswer> | Question<ScoreAnswer<string>>,
  options: DecidesOptions = {},
): Judge {
  const { sees, labels, threshold, name, ...rest } = options;
  const asked: Question<YesNoAnswer | ScoreAnswer<string>> = typeof question === "string" ? yesNo(question) : question;
  return makeJudge({
    sees,
    labels,
    threshold,
    name,
    by: "decides",
    question: asked.instructions,
    identity: [rest.model ?? "gemini-decision-1", asked, sees],
    ask: async (seen, signal) => {
      try {
        const decision = await decide(JSON.stringify(seen), { asked }, { ...rest, signal });
        const { cost } = decision;
        if (decision.status === "blocked") return { score: null, reason: `blocked: ${decision.blockReason}`, cost };
        const answer = decision.answers.asked;
        if ("yes" in answer) return { score: answer.probability, reason: `${percent(answer.probability)} yes`, cost };
        const levels = Object.keys(answer.probabilities).length;
        return { score: answer.score / (levels - 1), reason: `${answer.level} by ${percent(answer.confidence)}`, cost };
      } catch (error) {
        signal.throwIfAborted();
        return { score: null, reason: describeFailure(error) };
      }
    },
  });
}
