import { AgentError, type Session } from "@pollux/core";
import type { ActReport } from "./rival-messages.ts";

/** Acts of two rivals on one session. The ones with a message come first. */
export const ACTS = [
  "send",
  "send, steer",
  "send, wait",
  "send, replace",
  "continue with",
  "steer",
  "continue",
  "resume",
  "answer",
  "stop",
] as const;

export type Act = (typeof ACTS)[number];

/** Every unordered pair of acts. */
export const PAIRS: readonly (readonly [Act, Act])[] = ACTS.flatMap((first, index) =>
  ACTS.slice(index).map((second) => [first, second] as const),
);

const BRINGS_MESSAGE: ReadonlySet<Act> = new Set(ACTS.slice(0, 6));

/** Performs an act; never rejects. */
export async function perform(session: Session, act: Act, message: string): Promise<ActReport> {
  const what = { act, message: BRINGS_MESSAGE.has(act) ? message : undefined };
  return await reportOf(what, DO[act](session, message));
}

/** The result of an act. */
export async function reportOf(what: Pick<ActReport, "act" | "message">, work: Promise<unknown>): Promise<ActReport> {
  try {
    await work;
    return what;
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
    return {
      ...what,
      error: {
        name,
        message,
        code: error instanceof AgentError ? error.code : undefined,
      },
    };
  }
}

const DO: { readonly [Name in Act]: (session: Session, message: string) => Promise<unknown> } = {
  send: (session, message) => session.send(message),
  "send, steer": (session, message) => session.send(message, { whileRunning: "steer" }),
  "send, wait": (session, message) => session.send(message, { whileRunning: "wait" }),
  "send, replace": (session, message) => session.send(message, { whileRunning: "replace" }),
  "continue with": (session, message) => session.continue({ message, whileRunning: "steer", runId: message }),
  steer: (session, message) => session.steer(message),
  continue: (session) => session.continue(),
  resume: (session) => session.resume(),
  answer: async (session) => {
    const { pending } = await session.state();
    const [approvals, unknown] = [true, false].map((isApproval) =>
      pending.filter(({ question }) => (question === "approval") === isApproval).map(({ token }) => token),
    );
    await session.answer({
      // With nothing to answer, it sends an answer without a question.
      approvals: Object.fromEntries((pending.length === 0 ? ["call:9.9"] : (approvals ?? [])).map((id) => [id, true])),
      outcomes: Object.fromEntries((unknown ?? []).map((id) => [id, { output: "looked into" }])),
    });
  },
  stop: (session) => session.stop(),
};
