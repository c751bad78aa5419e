import type { Json, JsonObject } from "@pollux/core";
import type { Trial } from "../trials/trial.ts";
import { askModel, type JudgeOptions, modelId, REASON } from "./ask-model.ts";
import { addCosts, type Judge, type Judgment, makeJudge, readTexts } from "./make-judge.ts";

/** Options of {@link prefers}. */
export interface PrefersOptions extends Omit<JudgeOptions, "sees"> {
  /** The other answer, such as one of another version; `undefined` makes the trial invalid. @defaultValue what the case expects */
  readonly against?: ((trial: Trial) => Json | undefined) | undefined;
}

interface Choice {
  readonly reason: string;
  readonly better: "first" | "second" | "neither";
}

/**
 * A model that picks the better of two answers, by a question such as "Which answer is more helpful?". It is asked
 * twice, with each answer first: the score is 1 when it prefers the trial's both times, 0 when it prefers the other,
 * and 0.5, a tie, when it prefers none or the order decides. Labels have `input`, `answer`, `other`, and whether
 * `answer` passes.
 *
 * @throws {TypeError} Without a question, or for a threshold outside of 0 to 1.
 */
export function prefers(question: string, options: PrefersOptions): Judge {
  // A case may expect anything; it is compared as JSON.
  const { against = ({ expected }: Trial) => expected as Json | undefined, ...rest } = options;
  const task = `You compare two answers to the same input, by one question and by nothing else.

Question: ${question}

Say what decides it, then which answer is better: "first", "second", or "neither" if you cannot tell. Ignore which one comes first and how long they are.`;
  const better = { type: "string", enum: ["first", "second", "neither"] };
  const askFor = askModel<Choice>(options, task, { reason: REASON, better });
  return makeJudge({
    ...rest,
    by: "prefers",
    question,
    identity: [modelId(options), options.against],
    sees: (trial): JsonObject | undefined => {
      const other = against(trial);
      return other === undefined ? undefined : { input: readTexts(trial.input), answer: trial.text, other };
    },
    ask: async ({ input, answer, other }, signal) => {
      const orders = [
        { input, first: answer, second: other },
        { input, first: other, second: answer },
      ];
      const [there, back] = await Promise.all(orders.map((order) => askFor(order, signal)));
      const cost = addCosts([there?.cost, back?.cost]);
      if (there?.answer && back?.answer) return { ...compare(there.answer, back.answer), cost };
      return { score: null, reason: there?.problem || back?.problem || "", cost };
    },
  });
}

function compare(there: Choice, back: Choice): Judgment {
  const { better, reason } = there;
  if (better === "neither" || back.better === "neither")
    return { score: 0.5, reason: `a tie: ${better === "neither" ? reason : back.reason}` };
  if (better === back.better) return { score: 0.5, reason: `a tie: it prefers whichever comes ${better}` };
  return { score: better === "first" ? 1 : 0, reason };
}
