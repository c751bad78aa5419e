import type { Approval, ExternalOutcome, InputPart } from "@pollux/core";
import { callOf } from "../call-ids.ts";
import {
  BadRequestError,
  type ChatAnswer,
  type ChatMessage,
  type ChatRequest,
  type ChatRevision,
} from "../chat-protocol.ts";

/** What of a request is accepted. */
export interface ReadRequestOptions {
  /**
   * Whether the model's service may read a file from a URL. Data URLs are always accepted. A URL of the service's own storage can name
   * files that belong to others, so allow only what your own uploads make. @defaultValue no URL
   */
  readonly allowFileUrl?: ((url: string) => boolean) | undefined;
}

/**
 * Reads the body that `useChat` sends, with all messages or, as `prepareSendMessagesRequest` can make it, with the last one as `message`.
 * Taken are the new message of the user, and answers to calls in the message of the assistant before it, or in `answers`. Nobody has
 * checked any of it: all else that the page says was said before is ignored.
 *
 * A message that is to be answered once more (`regenerate`), or that a page has edited (`sendMessage` with a `messageId`), is read as a
 * revision.
 *
 * @throws {BadRequestError} When there is neither a message nor an answer, or a part of the message can't be used.
 */
export function fromUIMessages(body: unknown, options: ReadRequestOptions = {}): ChatRequest {
  if (!isRecord(body)) throw new BadRequestError('send a JSON object with "id" and "messages"');
  const { id, messages, message: only, answers: given, trigger, messageId } = body;
  if (typeof id !== "string" || id === "") throw new BadRequestError('"id" must be the id of the chat');
  const list: readonly unknown[] = Array.isArray(messages) ? messages.slice(-2) : only === undefined ? [] : [only];
  const last = list.at(-1);
  const isAsked = isRecord(last) && last["role"] === "user";
  const message = isAsked ? readMessage(last, options) : undefined;
  const revision = message && readRevision(trigger, messageId, message);
  const answers = [...readCalls(isAsked ? list.at(-2) : last), ...readAnswers(given)];
  if (message === undefined && answers.length === 0)
    throw new BadRequestError("there is nothing to answer: end the messages with one of the user, or answer a call");
  return {
    id,
    ...(message !== undefined && { message }),
    ...(revision !== undefined && { revision }),
    ...(answers.length > 0 && { answers }),
  };
}

function readRevision(trigger: unknown, messageId: unknown, { id }: ChatMessage): ChatRevision | undefined {
  // Of an edited message it is the message's; of one that is to be answered anew, the answer's or the message's.
  const isOwn = messageId === id;
  if (trigger !== "regenerate-message") return isOwn && id !== undefined ? { kind: "edit" } : undefined;
  const answerId = typeof messageId === "string" && messageId !== "" && !isOwn ? messageId : undefined;
  return { kind: "regenerate", ...(answerId !== undefined && { answerId }) };
}

function readMessage(message: JsonRecord, options: ReadRequestOptions): ChatMessage {
  const { id, parts } = message;
  const input = (Array.isArray(parts) ? (parts as readonly unknown[]) : []).flatMap((part) => readPart(part, options));
  if (input.length === 0) throw new BadRequestError("the message is empty: it needs a text or a file");
  return { ...(typeof id === "string" && id !== "" && { id }), input };
}

/** What a person can say; other parts are display. */
function readPart(part: unknown, options: ReadRequestOptions): readonly InputPart[] {
  if (!isRecord(part)) return [];
  const { type, text } = part;
  if (type === "text" && typeof text === "string") return text === "" ? [] : [{ text }];
  return type === "file" ? [readFile(part, options)] : [];
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,/;

function readFile({ url, mediaType, filename }: JsonRecord, { allowFileUrl }: ReadRequestOptions): InputPart {
  if (typeof url !== "string") throw new BadRequestError("a file needs a url");
  const displayName = typeof filename === "string" && filename !== "" ? { displayName: filename } : {};
  const head = DATA_URL.exec(url.slice(0, 1000));
  if (head?.[1] !== undefined) {
    const data = url.slice(head[0].length);
    if (!/^[\w+/-]*={0,2}$/.test(data)) throw new BadRequestError("the data of a file is not base64");
    return { inlineData: { mimeType: head[1], data, ...displayName } };
  }
  if (allowFileUrl?.(url) !== true) throw new BadRequestError("a file must be a data URL in base64");
  const type = typeof mediaType === "string" ? { mimeType: mediaType } : {};
  return { fileData: { ...type, fileUri: url, ...displayName } };
}

/** Answers in the last step of a message: only there are calls that wait. */
function readCalls(message: unknown): readonly ChatAnswer[] {
  if (!isRecord(message) || message["role"] !== "assistant" || !Array.isArray(message["parts"])) return [];
  const parts: readonly unknown[] = message["parts"];
  const start = parts.findLastIndex((part) => isRecord(part) && part["type"] === "step-start");
  return parts.slice(start + 1).flatMap((part) => (isRecord(part) ? readCall(part) : []));
}

function readCall(part: JsonRecord): readonly ChatAnswer[] {
  const { state, approval, providerExecuted, preliminary } = part;
  if (providerExecuted === true || preliminary === true) return [];
  if (state === "output-available") return answer(part, { outcome: { output: part["output"] ?? null } });
  if (state === "output-error") return answer(part, { outcome: errorOutcome(part["errorText"]) });
  if (state !== "approval-responded" || !isRecord(approval)) return [];
  const decision = readApproval(approval);
  return decision === undefined ? [] : answer(part, { approval: decision });
}

/** Answers that the page gives itself, for what its version of the AI SDK has no words for. */
function readAnswers(given: unknown): readonly ChatAnswer[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new BadRequestError('"answers" must be a list');
  return (given as readonly unknown[]).flatMap((one) => {
    const read = isRecord(one) ? readAnswer(one) : [];
    if (read.length === 0)
      throw new BadRequestError(
        'each of the "answers" needs a "toolCallId", and "approved", "args", "output", "errorText" or "notExecuted"',
      );
    return read;
  });
}

function readAnswer(one: JsonRecord): readonly ChatAnswer[] {
  const approval = readEdits(one) ?? readApproval(one);
  if (approval !== undefined) return answer(one, { approval });
  if ("output" in one) return answer(one, { outcome: { output: one["output"] } });
  if (one["notExecuted"] === true) return answer(one, { outcome: { notExecuted: true } });
  return "errorText" in one ? answer(one, { outcome: errorOutcome(one["errorText"]) }) : [];
}

function readApproval({ approved, reason }: JsonRecord): Approval | undefined {
  if (typeof approved !== "boolean") return undefined;
  return !approved && typeof reason === "string" && reason !== "" ? { deny: reason } : approved;
}

/** An approval with other arguments. */
function readEdits({ approved = true, args }: JsonRecord): Approval | undefined {
  if (args === undefined || approved !== true) return undefined;
  if (!isRecord(args)) throw new BadRequestError('"args" must be an object: all arguments of the call');
  return { args };
}

function errorOutcome(errorText: unknown): ExternalOutcome {
  return { error: typeof errorText === "string" && errorText !== "" ? errorText : "The call failed." };
}

function answer({ toolCallId }: JsonRecord, given: Pick<ChatAnswer, "approval" | "outcome">): readonly ChatAnswer[] {
  if (typeof toolCallId !== "string") return [];
  const call = callOf(toolCallId);
  return call === undefined ? [] : [{ ...call, ...given }];
}

type JsonRecord = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
