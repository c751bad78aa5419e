import type { Answers, PendingCall, Session } from "@pollux/core";

/**
 * Answers to a session's pending calls, given by call id: keys them by the tokens of their questions, as `resume`, `answer` and
 * `continue` take them. A call that waits for nothing keeps its id, which is no token.
 */
export async function answersTo<Given extends Answers>(
  session: Pick<Session, "state"> | readonly PendingCall[],
  given: Given,
): Promise<Given> {
  const pending = "state" in session ? (await session.state()).pending : session;
  const keyed = <Answer>(answers: Readonly<Record<string, Answer>>): Record<string, Answer> =>
    Object.fromEntries(
      Object.entries(answers).map(([callId, answer]) => [
        pending.find((one) => one.callId === callId)?.token ?? callId,
        answer,
      ]),
    );
  const { approvals, outcomes } = given;
  return {
    ...given,
    ...(approvals !== undefined && { approvals: keyed(approvals) }),
    ...(outcomes !== undefined && { outcomes: keyed(outcomes) }),
  };
}
