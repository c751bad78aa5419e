import { readConversation } from "@pollux/core/conversation";
import { BadRequestError } from "../chat-protocol.ts";
import { isRecord } from "../read-answers.ts";
import { checkRights } from "./answer-rights.ts";
import { answersByToken, withdrawals } from "./answers.ts";
import { HttpError, replyJson } from "./http-error.ts";
import { abortWhenLeft } from "./left-runs.ts";
import type { ChatCall, Serving } from "./serving.ts";
import { startRun } from "./start-run.ts";

/**
 * Takes back what waits for an answer in a conversation, or one question of it. The run goes on without it, whether anybody looks or not.
 *
 * @param body - `{ token?, reason? }`; absent: all questions, without a reason.
 */
export async function withdrawCalls<Context>(
  serving: Serving<Context>,
  chat: string,
  call: ChatCall<Context>,
  body: unknown = {},
): Promise<Response> {
  const { token, reason = "" } = isRecord(body) ? body : { token: null };
  if (!(token === undefined || typeof token === "string") || typeof reason !== "string")
    throw new BadRequestError("send { token, reason }, both texts, or no body");
  const open = serving.open(chat, call.visitor);
  try {
    serving.draining.check();
    const { pending } = await readConversation(open.session);
    const taken = withdrawals(pending, reason).filter(({ question }) => (token ?? question.token) === question.token);
    if (taken.length === 0) return replyJson({ withdrawn: false });
    const refusal = await checkRights(serving.options.authorizeAnswer, call, taken);
    if (refusal !== undefined) return refusal;
    await open.session.answer({ ...answersByToken(taken), by: call.visitor.owner });
    // What is withdrawn stays so if the run may not go on now, as without a budget: it does with the next message.
    try {
      abortWhenLeft(serving, open.session.id, await startRun(serving, open, call, {}));
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
    }
    return replyJson({ withdrawn: true });
  } finally {
    open.release();
  }
}
