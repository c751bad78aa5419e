import { askModel, type JudgeOptions, modelId, REASON } from "./ask-model.ts";
import { type Judge, makeJudge } from "./make-judge.ts";

/**
 * A model that grades each answer by a question, such as "Does the customer learn what happens next?". A judgment that fails after all retries
 * makes the trial invalid.
 *
 * @throws {TypeError} Without a question, or for a threshold outside of 0 to 1.
 * @example
 * ```ts
 * const next = judge("Does the customer learn what happens next?", { model: "gemini-3.8-flash", labels: "next.jsonl" });
 * ```
 */
export function judge(question: string, options: JudgeOptions): Judge {
  const task = `You grade what an assistant answered, by one question and by nothing else.

Question: ${question}

Say what decides it, then give a score from 0 to 1: 1 for a clear yes, 0 for a clear no, between them for a partial yes. How long or polite an answer is does not count unless the question asks for it.`;
  const score = { type: "number", minimum: 0, maximum: 1, description: "1 for a clear yes, 0 for a clear no." };
  const askFor = askModel<{ readonly reason: string; readonly score: number }>(options, task, {
    reason: REASON,
    score,
  });
  return makeJudge({
    ...options,
    by: "judge",
    question,
    identity: [modelId(options), options.sees],
    ask: async (seen, signal) => {
      const { answer, problem, cost } = await askFor(seen, signal);
      return { score: answer?.score ?? null, reason: answer?.reason ?? problem, cost };
    },
  });
}
