import { type Conversation, NothingToResumeError, ToolDefinitionError, UnexpectedAnswerError } from "@pollux/core";
import { BadRequestError, type ChatRequest, type EncoderOptions } from "../chat-protocol.ts";
import { messageWhenAnswered, takeAnswers } from "./answers.ts";
import { ChatStream } from "./chat-stream.ts";
import { sessionId } from "./chats.ts";
import { HttpError } from "./http-error.ts";
import { planRun } from "./plan-run.ts";
import type { ChatCall, Serving } from "./serving.ts";

/** How often answers are taken anew because others answered at the same time. */
const MAX_RACES = 5;

/** Starts or resumes a run with what a client sends, and streams the message that it writes. */
export async function sendToChat<Context>(
  serving: Serving<Context>,
  asked: ChatRequest,
  call: ChatCall<Context>,
): Promise<Response> {
  if (asked.message === undefined && (asked.answers ?? []).length === 0)
    throw new BadRequestError("There is nothing to do: send a message, or answers to calls.");
  for (let races = 0; ; races++) {
    const stream = new ChatStream(serving, asked.id, call);
    try {
      const conversation = await stream.open();
      return stream.respond(conversation && (await begin(serving, stream, asked, { conversation, call })));
    } catch (error) {
      stream.close();
      // A tool of the client's has the name of one of the agent's.
      if (error instanceof ToolDefinitionError && asked.tools?.some(({ name }) => name === error.tool) === true)
        throw new BadRequestError(error.message, { cause: error });
      const isAnswered = error instanceof UnexpectedAnswerError || error instanceof NothingToResumeError;
      if (!isAnswered || races >= MAX_RACES) throw error;
    }
  }
}

/**
 * Streams the message that is being written, from its beginning. When none is: what the protocol has for that, or 204.
 *
 * @param withEnded - Streams the last message also when it has ended.
 */
export async function followChat<Context>(
  serving: Serving<Context>,
  chat: string,
  call: ChatCall<Context>,
  withEnded: boolean,
): Promise<Response> {
  const stream = new ChatStream(serving, chat, call);
  try {
    const conversation = await stream.open();
    const last = conversation?.messages.findLast(({ role }) => role === "assistant");
    const { resumeCutOff = true, protocol } = serving.options;
    const goesOn = conversation?.state === "running" || (conversation?.state === "cut-off" && resumeCutOff);
    const isShown = goesOn || (withEnded && protocol.idle === undefined && last === conversation?.messages.at(-1));
    if (last === undefined || !isShown) {
      const chunks = conversation === undefined ? undefined : protocol.idle?.(conversation);
      if (chunks === undefined) return stream.respond(undefined);
      stream.close();
      return new Response(chunks.map((chunk) => protocol.write(chunk)).join(""), { headers: protocol.headers });
    }
    stream.choose(({ messages }) => messages.find(({ id }) => id === last.id));
    return stream.respond({});
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** Begins what a client asks for. @returns How the message is shown that comes of it. */
async function begin<Context>(
  serving: Serving<Context>,
  stream: ChatStream<Context>,
  asked: ChatRequest,
  { conversation, call }: { readonly conversation: Conversation; readonly call: ChatCall<Context> },
): Promise<EncoderOptions> {
  const { whileRunning = "refuse" } = serving.options;
  const { message, answers = [], tools } = asked;
  const { messages, state } = conversation;
  const plan = await planRun(sessionId(call.visitor.owner, asked.id), asked, conversation);
  const { runId, insteadOf, isSame = false } = plan;
  // What is taken back is not answered as well.
  const found = insteadOf === undefined ? takeAnswers(conversation, answers) : undefined;
  // A page sends what it has of the last message along with a new one.
  const taken = message === undefined || found?.isNew === true ? found : undefined;
  if (message === undefined && taken === undefined)
    throw new HttpError(
      409,
      "nothing_waits",
      "None of these calls is waiting for an answer. Load the conversation again.",
    );

  const answered = messages.find(({ id }) => id === taken?.messageId);
  const isRunning = state === "running";
  // A message that is said to a run is answered in that run's message.
  const heardIn =
    isRunning && whileRunning === "steer" && insteadOf === undefined
      ? messages.findLast(({ role }) => role === "assistant")
      : answered;
  stream.choose(
    (now) =>
      now.messages.find(({ role, runId: of }) => role === "assistant" && of === runId) ??
      now.messages.find(({ id }) => id === heardIn?.id),
  );
  const shown = { request: asked, known: answered && messageWhenAnswered(answered, answers) };
  // What was sent before changes nothing, unless its run has not come to its end: the client sees what has come of it.
  const own = messages.find(({ role, runId: of }) => role === "assistant" && of === runId) ?? answered;
  const isKnown = taken?.isNew !== true && (message === undefined || own !== undefined);
  const canGoOn = (state === "stopped" || state === "cut-off") && own === messages.at(-1);
  if (isKnown && !canGoOn) return shown;

  await stream.start({
    ...(message !== undefined && { ...(!isSame && { message: message.input }), runId, insteadOf }),
    approvals: taken?.approvals,
    outcomes: taken?.outcomes,
    whileRunning: insteadOf !== undefined && whileRunning === "steer" ? "refuse" : whileRunning,
    clientTools: tools,
    costSoFar: own?.cost,
  });
  // One that waits for its turn is told so by a stream that is silent for now.
  const isBegun = (isRunning && whileRunning === "wait") || (await stream.untilBegun());
  // It had steered a run before, which has answered it.
  if (!isBegun) stream.choose((now) => now.messages.findLast(({ role }) => role === "assistant"));
  return shown;
}
