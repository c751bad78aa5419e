import type { Json } from "@pollux/core";
import type { Trial } from "../trials/trial.ts";
import { DATA, lazyAgent, modelId } from "./judge.ts";
import { addCosts, askAgent, type Judge, type JudgeOptions, type Judgement, makeJudge, readSaid } from "./make-judge.ts";

/** Options of {@link prefers}. */
export interface PrefersOptions extends Omit<JudgeOptions, "sees"> {
  /** The other answer, such as one of another version. @defaultValue what the case expects */
  readonly against?: ((trial: Trial) => Json | undefined) | undefined;
}

const CHOICE = {
  type: "object",
  properties: {
    reason: { type: "string", description: "What decides it, in one or two sentences, with words of the data." },
    better: { type: "string", enum: ["first", "second", "neither"] },
  },
  required: ["reason", "better"],
};

interface Choice {
  readonly reason: string;
  readonly better: "first" | "second" | "neither";
}

/**
 * A model that says which of two answers is better, by a question such as "Which answer is more helpful?". It is asked twice, with each answer
 * first: 1 when both times it prefers the trial's, 0 when the other, and 0.5, a tie, when it says neither or the order decides. Its labels have
 * `sees: { input, answer, other }`, and say whether `answer` passes.
 *
 * @throws {TypeError} For no question, or a threshold outside of 0 to 1.
 */
export function prefers(question: string, options: PrefersOptions): Judge {
  const { against = readExpected, ...rest } = options;
  const makeAgent = lazyAgent(options, describeTask(question), CHOICE);
  return makeJudge({
    ...rest,
    by: "prefers",
    question,
    identity: [modelId(options), ...(against === readExpected ? [] : [against])],
    sees: (trial) => {
      const other = against(trial);
      return other === undefined ? undefined : { input: readSaid(trial.input), answer: trial.text, other };
    },
    ask: async (seen, signal): Promise<Judgement> => {
      // As above, and as the labels say.
      const { input, answer, other } = seen as { readonly [Name in "input" | "answer" | "other"]: Json };
      const orders = [{ input, first: answer, second: other }, { input, first: other, second: answer }];
      const asked = orders.map((order) => askAgent<Choice>(makeAgent(), order, signal));
      const [there, back] = await Promise.all(asked);
      const cost = addCosts([there?.cost, back?.cost]);
      if (there?.answer === undefined || back?.answer === undefined)
        return { score: null, reason: there?.problem || back?.problem || "", cost };
      return { ...compare(there.answer, back.answer), cost };
    },
  });
}

function compare(there: Choice, back: Choice): Judgement {
  if (there.better === "first" && back.better === "second") return { score: 1, reason: there.reason };
  if (there.better === "second" && back.better === "first") return { score: 0, reason: there.reason };
  if (there.better === back.better && there.better !== "neither")
    return { score: 0.5, reason: `a tie: it prefers whichever comes ${there.better}` };
  return { score: 0.5, reason: `a tie: ${there.better === "neither" ? there.reason : back.reason}` };
}

/** A case may expect anything. */
function readExpected({ expected }: Trial): Json | undefined {
  return expected as Json | undefined;
}

function describeTask(question: string): string {
  return `You compare two answers to the same input, by one question and by nothing else.

Question: ${question}

${DATA}
Say what decides it, then which is better: "first", "second", or "neither" if you cannot tell. Which one comes first, and how long they are, does not count.`;
}
