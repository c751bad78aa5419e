import { buildCallId } from "../../durable/run-log.ts";
import { isCallPiece } from "../../model/response/parts.ts";
import type { Content, FunctionResponse, JsonObject, Part } from "../../wire/types/content.ts";
import type { MessagePart, SaidPart } from "../conversation.ts";

/**
 * The parts of one answer, as they arrive or from the whole content.
 *
 * Text of one kind that follows itself is one part, whatever the signatures between its pieces. While an answer is under way its calls
 * stand at the end, since a draft has none of them; each is in its place once the answer is whole.
 */
export class AnswerParts {
  readonly #turn: number;
  readonly #isLive: boolean;
  readonly #parts: MessagePart[] = [];
  /** Of an answer that is under way. */
  readonly #calls: MessagePart[] = [];
  readonly #counts: Map<string, number> = new Map();
  /** The call that is being written. */
  #openCall: MessagePart | undefined;
  /** Code and tools of the service that have no result yet: their places and ids. */
  readonly #waiting: { readonly type: MessagePart["type"]; readonly index: number; readonly id: string | undefined }[] =
    [];

  constructor(turn: number, state: "live" | "whole", parts: readonly Part[] = []) {
    this.#turn = turn;
    this.#isLive = state === "live";
    for (const part of parts) this.add(part);
  }

  get parts(): readonly MessagePart[] {
    return this.#calls.length === 0 ? this.#parts : [...this.#parts, ...this.#calls];
  }

  /** Of an answer that is under way: what stays if it is never finished. None of its calls was begun. */
  get saidParts(): readonly MessagePart[] {
    return this.#parts;
  }

  /** Of an answer that is under way: the last text can grow. */
  streaming(): readonly MessagePart[] {
    const last = this.#parts.at(-1);
    if (last?.type !== "text" && last?.type !== "thought") return this.parts;
    return [...this.#parts.slice(0, -1), { ...last, streaming: true }, ...this.#calls];
  }

  /** @returns The length of the text before, if it has grown; `undefined` when a new part began, or nothing was said. */
  addText(type: "text" | "thought", delta: string): { readonly id: string; readonly offset: number } | undefined {
    if (delta === "") return undefined;
    const last = this.#parts.at(-1);
    if (last?.type === type) {
      this.#parts[this.#parts.length - 1] = { ...last, text: last.text + delta };
      return { id: last.id, offset: last.text.length };
    }
    this.#push({ type, id: this.#nextId(type), text: delta });
    return undefined;
  }

  add(part: Part): void {
    const { text, functionCall, functionResponse, executableCode, codeExecutionResult, toolCall, toolResponse } = part;
    if (text !== undefined) this.addText(part.thought === true ? "thought" : "text", text);
    else if (isCallPiece(part)) this.addCallPiece(functionCall?.name);
    else if (functionCall !== undefined) {
      this.addCallPiece(functionCall.name);
      this.#endCall(functionCall.args ?? {});
    } else if (functionResponse !== undefined) {
      this.#endServerCall(functionResponse);
    } else if (executableCode !== undefined) {
      const { id, language, code } = executableCode;
      this.#waiting.push({ type: "code", index: this.#parts.length, id });
      this.#push({ type: "code", id: this.#nextId("code"), ...(language !== undefined && { language }), code });
    } else if (codeExecutionResult !== undefined) {
      const { id, outcome, output } = codeExecutionResult;
      this.#set(this.#takeWaiting("code", id), { outcome, ...(output !== undefined && { output }) });
    } else if (toolCall !== undefined) {
      const { id, toolType: name, args = {} } = toolCall;
      this.#waiting.push({ type: "server-tool", index: this.#parts.length, id });
      this.#push({ type: "server-tool", id: this.#nextId("server-tool"), name, args, state: "running" });
    } else if (toolResponse !== undefined) {
      this.#set(this.#takeWaiting("server-tool", toolResponse.id), { state: "done" });
    } else {
      const said = convertSaid(part, (kind) => this.#nextId(kind));
      if (said !== undefined) this.#push(said);
    }
  }

  /** A call whose arguments are streamed, whatever the number of its pieces; the whole call follows. */
  addCallPiece(name: string | undefined): void {
    if (this.#openCall !== undefined) return;
    // The service also sends calls without a name; they are never executed.
    const id = buildCallId(this.#turn, this.#count("call"));
    this.#openCall = { type: "tool-call", id, name: name ?? "", args: {}, state: "writing" };
    this.#callsHere().push(this.#openCall);
  }

  #endCall(args: JsonObject): void {
    if (this.#openCall === undefined) return;
    const calls = this.#callsHere();
    // It is a call.
    calls[calls.lastIndexOf(this.#openCall)] = { ...this.#openCall, args } as MessagePart;
    this.#openCall = undefined;
  }

  /** A call that the service answered itself is a tool of its own; the client's calls are counted without it. */
  #endServerCall({ name }: FunctionResponse): void {
    const calls = this.#callsHere();
    const at = calls.findIndex((part) => part.type === "tool-call" && part.name === name);
    const call = calls[at];
    if (call?.type !== "tool-call") return;
    const done: MessagePart = {
      type: "server-tool",
      id: this.#nextId("server-tool"),
      name,
      args: call.args,
      state: "done",
    };
    if (this.#isLive) {
      calls.splice(at, 1);
      this.#push(done);
    } else calls[at] = done;
    let count = 0;
    for (const [index, part] of calls.entries())
      if (part.type === "tool-call") calls[index] = { ...part, id: buildCallId(this.#turn, count++) };
    this.#counts.set("call", count);
  }

  #callsHere(): MessagePart[] {
    return this.#isLive ? this.#calls : this.#parts;
  }

  /** Where the code or tool is that a result belongs to: the one with its id, or else the last one. */
  #takeWaiting(type: MessagePart["type"], id: string | undefined): number | undefined {
    const own = this.#waiting.findIndex((one) => one.type === type && id !== undefined && one.id === id);
    const at = own === -1 ? this.#waiting.findLastIndex((one) => one.type === type) : own;
    return at === -1 ? undefined : this.#waiting.splice(at, 1)[0]?.index;
  }

  #push(part: MessagePart): void {
    this.#parts.push(part);
  }

  #set(index: number | undefined, fields: object): void {
    // The fields are those of the part's kind.
    if (index !== undefined) this.#parts[index] = { ...this.#parts[index], ...fields } as MessagePart;
  }

  #nextId(kind: string): string {
    return `${kind}:${this.#turn}.${this.#count(kind)}`;
  }

  #count(kind: string): number {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    return count;
  }
}

/** What a person said, without empty texts. */
export function saidParts(contents: readonly Content[]): readonly SaidPart[] {
  const said: SaidPart[] = [];
  const counts = new Map<string, number>();
  const nextId = (kind: string): string => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return `${kind}:${count}`;
  };
  for (const { parts } of contents)
    for (const part of parts) {
      const converted = part.text === undefined ? convertSaid(part, nextId) : undefined;
      if (converted !== undefined) said.push(converted);
      else if (part.text !== undefined && part.text !== "")
        said.push({ type: "text", id: nextId("text"), text: part.text });
    }
  return said;
}

/** Media, or a part that this release does not know; nothing for a signature alone. */
function convertSaid(part: Part, nextId: (kind: string) => string): SaidPart | undefined {
  const { inlineData, fileData } = part;
  const media = inlineData ?? fileData;
  if (media === undefined) {
    const keys = Object.keys(part).filter((key) => key !== "thoughtSignature" && key !== "thought");
    return keys.length === 0 ? undefined : { type: "unknown", id: nextId("unknown"), keys };
  }
  const { mimeType, displayName } = media;
  return {
    type: "media",
    id: nextId("media"),
    ...(mimeType !== undefined && { mimeType }),
    ...(inlineData !== undefined && { data: inlineData.data }),
    ...(fileData !== undefined && { uri: fileData.fileUri }),
    ...(displayName !== undefined && { name: displayName }),
    ...(part.thought === true && { thought: true }),
  };
}
