import { type Answer, type Case, chunk, endingOf, FINAL, GEMINI_3, isAnswered, say, type Verdict } from "../case.ts";
import type { Seen } from "../case.ts";

const empty: Answer = { chunks: [chunk(undefined, "STOP")] };
const malformed: Answer = { chunks: [chunk(undefined, "MALFORMED_FUNCTION_CALL", { finishMessage: "Bad call." })] };
const cut: Answer = { chunks: [chunk([{ text: "It rains" }])] };
const unavailable = { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" };

/** Answers that are none, and whether an application notices. */
export const ENDINGS: readonly Case[] = [
  once("empty-once", "an empty answer, once", empty),
  always("empty", "only empty answers", empty),
  once("malformed-once", "`MALFORMED_FUNCTION_CALL`, once", malformed),
  always("malformed", "`MALFORMED_FUNCTION_CALL` every time", malformed),
  once("cut-once", "a stream ends without a finish reason, once", cut),
  always("cut", "every stream ends without a finish reason", cut),
  always("stream-error", "a 503 inside every stream", { chunks: [...cut.chunks, { error: unavailable }] }),
  always("blocked", "a blocked prompt", {
    chunks: [{ promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, modelVersion: "stub" }],
  }),
  always("token-limit", "the answer reaches the token limit", { chunks: [chunk([{ text: "It ra" }], "MAX_TOKENS")] }),
  always("unknown-finish", "a finish reason that is new", { chunks: [chunk([{ text: FINAL }], "PAUSED_BY_POLICY")] }),
];

/** The first answer is bad, the second is good. */
function once(id: string, label: string, bad: Answer): Case {
  const judge = (seen: Seen): Verdict =>
    isAnswered(seen) && seen.asked.length > 1
      ? { met: "yes", says: "asks again" }
      : { met: "no", says: endingOf(seen) };
  return { id, model: GEMINI_3, answer: ({ n }) => (n === 1 ? bad : say()), rows: [{ id, label, judge }] };
}

/** Every answer is bad: anything but a success is right. */
function always(id: string, label: string, bad: Answer): Case {
  const judge = (seen: Seen): Verdict => ({
    met: seen.isLost || seen.result?.succeeded === true ? "no" : "yes",
    says: endingOf(seen),
  });
  return { id, model: GEMINI_3, answer: () => bad, rows: [{ id, label, judge }] };
}
