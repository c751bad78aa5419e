import { HttpError } from "@pollux/core/serving";
import { UnexpectedAnswerError } from "@pollux/core";
import type { Conversation } from "@pollux/core/conversation";
import { NothingToResumeError, ToolDefinitionError } from "@pollux/core/errors";
import { othersAsked } from "../answerable.ts";
import { BadRequestError, type ChatRequest, type EncoderOptions } from "../chat-protocol.ts";
import { checkRights } from "./answer-rights.ts";
import { answersByToken, messageWhenAnswered, takeAnswers } from "./answers.ts";
import { ChatStream } from "./chat-stream.ts";
import { sessionId } from "./chats.ts";
import { isShown, planRun, type RunPlan } from "./plan-run.ts";
import type { ChatCall, Serving } from "./serving.ts";
import { runningError } from "./start-run.ts";
import { stopRun } from "./upkeep.ts";

/** How often answers are retried because others answered at the same time. */
const MAX_RACES = 5;

/** Starts or resumes a run with what a client sends, and streams the message that it writes. */
export async function sendToChat<Context>(
  serving: Serving<Context>,
  chatRequest: ChatRequest,
  call: ChatCall<Context>,
): Promise<Response> {
  if (chatRequest.message === undefined && (chatRequest.answers ?? []).length === 0)
    throw new BadRequestError("There is nothing to do: send a message, or answers to calls.");
  if ((chatRequest.tools ?? []).length > 0 && serving.options.clientTools !== true)
    throw new BadRequestError("This server accepts no tools from its clients.");
  for (let races = 0; ; races++) {
    const stream = new ChatStream(serving, chatRequest.id, call);
    try {
      const conversation = await stream.open();
      const begun = conversation && (await begin(serving, stream, chatRequest, { conversation, call }));
      if (begun instanceof Response) {
        stream.close();
        return begun;
      }
      // A message that is kept until somebody else has answered is not answered yet.
      return begun === "kept" ? stream.respondIdle(stream.waiting, chatRequest) : stream.respond(begun);
    } catch (error) {
      stream.close();
      // A tool of the client's has the name of one of the agent's.
      if (error instanceof ToolDefinitionError && chatRequest.tools?.some(({ name }) => name === error.tool) === true)
        throw new BadRequestError(error.message, { cause: error });
      const isAnswered = error instanceof UnexpectedAnswerError || error instanceof NothingToResumeError;
      if (!isAnswered || races >= MAX_RACES) throw error;
    }
  }
}

/**
 * Begins what a client asks for.
 *
 * @returns How to show the resulting message; or that the client's message is kept for later; or a response to send
 * instead.
 */
async function begin<Context>(
  serving: Serving<Context>,
  stream: ChatStream<Context>,
  chatRequest: ChatRequest,
  { conversation, call }: { readonly conversation: Conversation; readonly call: ChatCall<Context> },
): Promise<EncoderOptions | "kept" | Response> {
  const { whileRunning = "refuse", authorizeAnswer } = serving.options;
  const { message, answers = [], tools } = chatRequest;
  const { messages, state } = conversation;
  const plan = await planRun(sessionId(call.visitor.owner, chatRequest.id), chatRequest, conversation);
  const { runId, replaces, isSame = false } = plan;
  // Calls of a message that is replaced are not answered as well.
  const found = replaces === undefined ? takeAnswers(conversation, answers) : undefined;
  // A page sends its copy of the last message along with a new one.
  const isAnswer = found !== undefined && found.answers.length > 0;
  const taken = message === undefined || isAnswer ? found : undefined;
  if (message === undefined && taken === undefined)
    throw new HttpError(
      409,
      "nothing_waits",
      "None of these calls is waiting for an answer. Load the conversation again.",
    );
  const given = taken?.answers ?? [];
  const reply = await checkRights(authorizeAnswer, call, given);
  if (reply !== undefined) return reply;

  const answered = messages.find(({ id }) => id === taken?.messageId);
  const isRunning = state === "running";
  const fallback = othersAsked(conversation) === undefined ? "close" : "steer";
  const unfinished = replaces === undefined ? (serving.options.unfinished ?? fallback) : "close";
  const keeps = state === "waiting" && unfinished === "steer";
  // A message that replaces another one steers no run.
  const steers = replaces === undefined && (keeps || whileRunning === "steer");
  // A message that steers a run is answered in that run's message.
  const answeredIn = steers && (keeps || isRunning) ? messages.findLast(({ role }) => role === "model") : answered;
  stream.follower.choose(
    (now) =>
      now.messages.find(({ role, runId: of }) => role === "model" && of === runId) ??
      now.messages.find(({ id }) => id === answeredIn?.id),
  );
  const shown = { request: chatRequest, known: answered && messageWhenAnswered(answered, answers) };
  // A repeated message changes nothing, unless its run has not ended yet: the client sees its result.
  const own = messages.find(({ role, runId: of }) => role === "model" && of === runId) ?? answered;
  const isKnown = !isAnswer && (message === undefined || own !== undefined);
  const canGoOn = (state === "stopped" || state === "cut-off") && own === messages.at(-1);
  if (isKnown && !canGoOn) return shown;

  const answersNow = { ...answersByToken(given), by: call.visitor.owner };
  const prepare = async (): Promise<void> => {
    // The current run may be busy with other calls: the sender learns at once whether the answer was accepted.
    if (isAnswer) {
      if (message !== undefined && whileRunning === "refuse" && runId !== answered?.runId) throw runningError();
      await stream.session.answer(answersNow);
    } else if (await isLeft(serving, chatRequest, plan, { conversation, call }))
      await stopRun(serving, chatRequest.id, call.visitor, call.request.signal);
  };
  await stream.start({
    ...(message !== undefined && { ...(!isSame && { message: message.input }), runId, replaces, unfinished }),
    ...(isAnswer && !isRunning && answersNow),
    whileRunning: steers ? "steer" : whileRunning === "steer" ? "refuse" : whileRunning,
    clientTools: tools,
    chatRequest,
    ...(isRunning && { prepare }),
  });
  // A message that waits for its turn gets a stream that is silent for now.
  const isBegun = (isRunning && whileRunning === "wait") || (await stream.untilBegun());
  // The message had steered an earlier run, which has answered it.
  if (!isBegun) stream.follower.choose((now) => now.messages.findLast(({ role }) => role === "model"));
  return keeps && !isAnswer && (stream.waiting?.queued.length ?? 0) > 0 ? "kept" : shown;
}

/**
 * Whether a page has left the answer that is being written in order to send something else, and nobody reads it anymore. A closed
 * connection alone proves nothing: it looks like a lost network, and pages also close it when a component unmounts.
 *
 * @throws {HttpError} When somebody else reads it.
 */
async function isLeft<Context>(
  { options, readers }: Serving<Context>,
  { id, after }: ChatRequest,
  { replaces }: RunPlan,
  { conversation, call }: { readonly conversation: Conversation; readonly call: ChatCall<Context> },
): Promise<boolean> {
  const going = conversation.messages.findLast(({ role }) => role === "model");
  if (options.whileRunning !== undefined || going?.runId === undefined) return false;
  const session = sessionId(call.visitor.owner, id);
  const isOwn =
    replaces === undefined ? after !== undefined && (await isShown(session, after, going)) : replaces === going.id;
  if (!isOwn) return false;
  if (await readers.none(session, going.runId, call.request.signal)) return true;
  throw runningError("This answer is also shown somewhere else. Wait until it is finished, or stop it there.");
}
