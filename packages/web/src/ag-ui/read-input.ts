import { type Approval, defineTool, type ExternalOutcome, type InputPart, type Tool } from "@pollux/core";
import { callOf } from "../call-ids.ts";
import { BadRequestError, type ChatAnswer, type ChatMessage, type ChatRequest } from "../chat-protocol.ts";
import { defined, filled, isRecord, type JsonRecord, someText } from "../json.ts";
import { decision, type Given } from "../read-answers.ts";
import { type InterruptKind, interruptOf, resultIdOf } from "./ids.ts";

/** Which parts of a request are accepted. */
export interface AgUiInputOptions {
  /**
   * Whether the model's service may read a file from a URL. Base64 data is always accepted. A URL of the service's own storage can name
   * files that belong to others, so allow only what your own uploads make. @defaultValue no URL
   */
  readonly allowFileUrl?: ((url: string) => boolean) | undefined;
  /** Most tools that a client may bring. @defaultValue 32 */
  readonly maxTools?: number | undefined;
}

/**
 * Reads a `RunAgentInput`: the last message if it is the user's, the id of the one before it, the results of calls that the client
 * executed, the answers to interrupts in `resume`, the client's tools, and `forwardedProps` as the body. All of it is unchecked, and
 * everything else (earlier messages, `state`, `context`) is ignored.
 *
 * @throws {BadRequestError} Without a message and an answer, or when one of them is unusable.
 */
export function fromAgUiInput(body: unknown, options: AgUiInputOptions = {}): ChatRequest {
  if (!isRecord(body)) throw new BadRequestError("send a RunAgentInput as JSON");
  const { threadId: id, runId, messages, tools, resume, forwardedProps: props } = body;
  if (typeof id !== "string" || id === "") throw new BadRequestError('"threadId" must be the id of the conversation');
  if (runId !== undefined && (typeof runId !== "string" || runId === ""))
    throw new BadRequestError('"runId" must be a text');
  const list = listOf(messages, "messages");
  const last = list.at(-1);
  const message = isRecord(last) && last["role"] === "user" && !isQueued(last) ? readMessage(last, options) : undefined;
  const before = message && list.at(-2);
  const after = isRecord(before) && typeof before["id"] === "string" ? before["id"] : undefined;
  const resumed = listOf(resume, "resume").map(readResume);
  // CopilotKit adds a result for each call whose interrupt it answers.
  const results = readResults(list).filter((one) => !resumed.some((other) => isSameCall(one, other)));
  const answers = [...results, ...resumed];
  if (message === undefined && answers.length === 0)
    throw new BadRequestError("there is nothing to do: end the messages with one of the user, or answer a call");
  const clientTools = readTools(listOf(tools, "tools"), options);
  const rest = { tools: filled(clientTools), body: isRecord(props) ? filled(props) : undefined };
  return { id, ...defined({ runId, message, after, answers: filled(answers), ...rest }) };
}

/** True for messages that the server has, and no run has read yet. */
function isQueued({ metadata }: JsonRecord): boolean {
  const own = isRecord(metadata) ? metadata["pollux"] : undefined;
  return isRecord(own) && own["queued"] === true;
}

function readMessage({ id, content }: JsonRecord, options: AgUiInputOptions): ChatMessage {
  const parts: readonly unknown[] =
    typeof content === "string" ? [{ type: "text", text: content }] : Array.isArray(content) ? content : [];
  const input = parts.flatMap((part) => readPart(part, options));
  if (input.length === 0) throw new BadRequestError("the message is empty: it needs a text or a file");
  return { ...defined({ id: someText(id) }), input };
}

const MEDIA: ReadonlySet<unknown> = new Set(["image", "audio", "video", "document"]);

function readPart(part: unknown, options: AgUiInputOptions): readonly InputPart[] {
  if (!isRecord(part)) return [];
  const { type, text, source, metadata } = part;
  if (type === "text" && typeof text === "string") return text === "" ? [] : [{ text }];
  if (!MEDIA.has(type)) return [];
  if (!isRecord(source)) throw new BadRequestError("a file needs a source");
  const { type: place, value, mimeType } = source;
  if (typeof value !== "string") throw new BadRequestError("the source of a file needs a value");
  const named = defined({ displayName: isRecord(metadata) ? someText(metadata["filename"]) : undefined });
  if (place === "data") {
    if (typeof mimeType !== "string" || mimeType === "")
      throw new BadRequestError("the data of a file needs a mimeType");
    if (!/^[\w+/-]*={0,2}$/.test(value)) throw new BadRequestError("the data of a file is not base64");
    return [{ inlineData: { mimeType, data: value, ...named } }];
  }
  if (options.allowFileUrl?.(value) !== true) throw new BadRequestError("a file must be sent as base64 data");
  return [{ fileData: { fileUri: value, ...(typeof mimeType === "string" && { mimeType }), ...named } }];
}

/** Results that the client has added after the last answer. Results that we sent are known by their ids. */
function readResults(messages: readonly unknown[]): readonly ChatAnswer[] {
  const start = messages.findLastIndex((message) => isRecord(message) && message["role"] === "assistant");
  const answered = messages[start];
  const calls = isRecord(answered) && Array.isArray(answered["toolCalls"]) ? (answered["toolCalls"] as unknown[]) : [];
  return messages.slice(start + 1).flatMap((message): readonly ChatAnswer[] => {
    const { role, id, toolCallId, content, error } = isRecord(message) ? message : {};
    if (role !== "tool" || typeof toolCallId !== "string" || id === resultIdOf(toolCallId)) return [];
    const call = callOf(toolCallId);
    const outcome: ExternalOutcome =
      typeof error === "string" && error !== "" ? { error } : { output: readContent(content) };
    return call === undefined ? [] : [{ ...call, input: readArguments(calls, toolCallId), outcome }];
  });
}

function isSameCall(one: ChatAnswer, other: ChatAnswer): boolean {
  return one.callId === other.callId && one.messageId === other.messageId;
}

/** The arguments with which a client shows a call. */
function readArguments(calls: readonly unknown[], toolCallId: string): unknown {
  const call = calls.find((one) => isRecord(one) && one["id"] === toolCallId);
  const shown = isRecord(call) ? call["function"] : undefined;
  return isRecord(shown) ? readContent(shown["arguments"]) : undefined;
}

/** What a call returned: JSON, or a text. */
function readContent(content: unknown): unknown {
  if (typeof content !== "string") return content ?? null;
  try {
    return JSON.parse(content) as unknown;
  } catch {
    return content;
  }
}

function readResume(entry: unknown): ChatAnswer {
  const { interruptId, status, payload } = isRecord(entry) ? entry : {};
  if (typeof interruptId !== "string" || (status !== "resolved" && status !== "cancelled"))
    throw new BadRequestError(
      'each entry of "resume" needs an "interruptId" and a "status": "resolved" or "cancelled"',
    );
  const interrupt = interruptOf(interruptId);
  const call = interrupt && callOf(interrupt.toolCallId);
  if (interrupt === undefined || call === undefined)
    throw new BadRequestError(`there is no interrupt "${interruptId.slice(0, 100)}"`);
  return { ...call, token: interrupt.token, ...READERS[interrupt.kind](status === "cancelled", payload) };
}

/** What an answer says, by the kind of the interrupt. */
const READERS: { readonly [Kind in InterruptKind]: (isCancelled: boolean, payload: unknown) => Given } = {
  approval: (isCancelled, payload) => ({ approval: isCancelled ? false : readApproval(payload) }),
  question: (isCancelled, payload) => ({
    outcome: isCancelled ? { error: "the user did not answer" } : { output: payload ?? null },
  }),
  effect: (isCancelled, payload) => ({
    outcome: isCancelled ? { error: "it is unknown whether the call took effect" } : readEffect(payload),
  }),
};

function readApproval(payload: unknown): Approval {
  const { approved, editedArgs, reason } = isRecord(payload) ? payload : { approved: payload };
  if (typeof approved !== "boolean") throw new BadRequestError('an approval needs the payload { "approved": boolean }');
  if (!approved || editedArgs === undefined) return decision(approved, reason);
  if (!isRecord(editedArgs)) throw new BadRequestError('"editedArgs" must be an object: all arguments of the call');
  return { args: editedArgs };
}

function readEffect(payload: unknown): ExternalOutcome {
  const given = isRecord(payload) ? payload : {};
  if (given["notExecuted"] === true) return { notExecuted: true };
  if (typeof given["error"] === "string" && given["error"] !== "") return { error: given["error"] };
  if ("output" in given) return { output: given["output"] };
  throw new BadRequestError('say what happened to the call: { "output" }, { "error" } or { "notExecuted": true }');
}

function readTools(tools: readonly unknown[], { maxTools = 32 }: AgUiInputOptions): readonly Tool[] {
  if (tools.length > maxTools)
    throw new BadRequestError(`there are ${tools.length} tools; at most ${maxTools} are accepted`);
  const read = tools.map(readTool);
  const duplicate = read.find(({ name }, index) => read.findIndex((tool) => tool.name === name) !== index);
  if (duplicate !== undefined) throw new BadRequestError(`two tools are named "${duplicate.name}"`);
  return read;
}

/** A tool without `run`: the client answers its calls. */
function readTool(tool: unknown): Tool {
  const { name, description, parameters } = isRecord(tool) ? tool : {};
  if (typeof name !== "string") throw new BadRequestError("a tool needs a name");
  const text = typeof description === "string" && description.trim() !== "" ? description : name;
  try {
    const spec = { name, description: text, effects: "none" as const, approvedBy: "user" };
    return isRecord(parameters) ? defineTool({ ...spec, input: parameters }) : (defineTool(spec) as Tool);
  } catch (error) {
    throw new BadRequestError(`the tool "${name.slice(0, 80)}" can't be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new BadRequestError(`"${name}" must be a list`);
  return value as readonly unknown[];
}
