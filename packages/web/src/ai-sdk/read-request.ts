import type { InputPart } from "@pollux/core";
import { callOf } from "../call-ids.ts";
import {
  BadRequestError,
  type ChatAnswer,
  type ChatMessage,
  type ChatRequest,
  type ChatRevision,
} from "../chat-protocol.ts";
import { defined, filled, isRecord, type JsonRecord, someText } from "../json.ts";
import { errorOutcome, readAnswers, readApproval } from "../read-answers.ts";

/** Which parts of a request are accepted. */
export interface ReadRequestOptions {
  /**
   * Whether the model's service may read a file from a URL. Data URLs are always accepted. A URL of the service's own storage can name
   * files that belong to others, so allow only what your own uploads make. @defaultValue no URL
   */
  readonly allowFileUrl?: ((url: string) => boolean) | undefined;
}

/**
 * Reads the body that `useChat` sends, with all messages or, as `prepareSendMessagesRequest` can make it, with the last
 * one as `message`. Uses the new user message, the id of the message before it, and answers to calls in that one, or in
 * `answers`. All of it is unchecked; any other earlier messages from the page are ignored.
 *
 * A message to answer again (`regenerate`), or one that a page has edited (`sendMessage` with a `messageId`), is read
 * as a revision.
 *
 * @throws {BadRequestError} Without a message and an answer, or when a part of the message is unusable.
 */
export function fromUIMessages(body: unknown, options: ReadRequestOptions = {}): ChatRequest {
  if (!isRecord(body)) throw new BadRequestError('send a JSON object with "id" and "messages"');
  const { id, messages, message: only, answers: given, trigger, messageId, ...rest } = body;
  if (typeof id !== "string" || id === "") throw new BadRequestError('"id" must be the id of the chat');
  const list: readonly unknown[] = Array.isArray(messages) ? messages.slice(-2) : only === undefined ? [] : [only];
  const last = list.at(-1);
  const isAsked = isRecord(last) && last["role"] === "user";
  const message = isAsked ? readMessage(last, options) : undefined;
  const revision = message && readRevision(trigger, messageId, message);
  const before = isAsked ? list.at(-2) : undefined;
  const after = isRecord(before) && typeof before["id"] === "string" ? before["id"] : undefined;
  const answers = [...readCalls(isAsked ? list.at(-2) : last), ...readGiven(given)];
  if (message === undefined && answers.length === 0)
    throw new BadRequestError("there is nothing to answer: end the messages with one of the user, or answer a call");
  return { id, ...defined({ message, revision, after, answers: filled(answers), body: filled(rest) }) };
}

function readRevision(trigger: unknown, messageId: unknown, { id }: ChatMessage): ChatRevision | undefined {
  // For an edited message, the message's id; for one to answer again, the answer's or the message's.
  const isOwn = messageId === id;
  if (trigger !== "regenerate-message") return isOwn && id !== undefined ? { kind: "edit" } : undefined;
  const answerId = isOwn ? undefined : someText(messageId);
  return { kind: "regenerate", ...defined({ answerId }) };
}

function readMessage(message: JsonRecord, options: ReadRequestOptions): ChatMessage {
  const { id, parts, metadata: about } = message;
  const input = (Array.isArray(parts) ? (parts as readonly unknown[]) : []).flatMap((part) => readPart(part, options));
  if (input.length === 0) throw new BadRequestError("the message is empty: it needs a text or a file");
  const metadata = filled(readMetadata(about ?? {}));
  return { ...defined({ id: someText(id) }), input, ...defined({ metadata }) };
}

/** In characters of JSON: it is kept with the conversation, and sent with it each time. */
const MAX_METADATA = 4096;

/** The page's metadata of its message, without the server's. */
function readMetadata(given: unknown): JsonRecord {
  if (!isRecord(given)) throw new BadRequestError('the "metadata" of a message must be a JSON object');
  const { runId: _run, createdAt: _at, queued: _queued, waitsFor: _names, ...metadata } = given;
  if (JSON.stringify(metadata).length > MAX_METADATA)
    throw new BadRequestError(`the "metadata" of a message may have ${MAX_METADATA} characters of JSON at most`);
  return metadata;
}

/** Parts that a person can send; other parts are for display. */
function readPart(part: unknown, options: ReadRequestOptions): readonly InputPart[] {
  if (!isRecord(part)) return [];
  const { type, text } = part;
  if (type === "text" && typeof text === "string") return text === "" ? [] : [{ text }];
  return type === "file" ? [readFile(part, options)] : [];
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,/;

function readFile({ url, mediaType, filename }: JsonRecord, { allowFileUrl }: ReadRequestOptions): InputPart {
  if (typeof url !== "string") throw new BadRequestError("a file needs a url");
  const displayName = defined({ displayName: someText(filename) });
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
  if (state === "output-available")
    return answerTo(part, { input: part["input"], outcome: { output: part["output"] ?? null } });
  if (state === "output-error")
    return answerTo(part, { input: part["input"], outcome: errorOutcome(part["errorText"]) });
  if (state !== "approval-responded" || !isRecord(approval)) return [];
  const decision = readApproval(approval);
  const { id: token } = approval;
  return decision === undefined || typeof token !== "string" ? [] : answerTo(part, { token, approval: decision });
}

/** Answers that the page itself adds, because its version of the AI SDK can't express them. */
function readGiven(given: unknown): readonly ChatAnswer[] {
  return readAnswers(given).map(({ toolCallId, ...answer }) => {
    const call = callOf(toolCallId ?? "");
    if (call === undefined) throw new BadRequestError('each of the "answers" needs the "toolCallId" of its call');
    return { ...call, ...answer };
  });
}

function answerTo({ toolCallId }: JsonRecord, given: Omit<ChatAnswer, "callId">): readonly ChatAnswer[] {
  const call = typeof toolCallId === "string" ? callOf(toolCallId) : undefined;
  return call === undefined ? [] : [{ ...call, ...given }];
}
