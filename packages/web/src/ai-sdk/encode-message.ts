import type { Conversation, ConversationChange, ConversationPosition, Message } from "@pollux/core/conversation";
import { type AddedText, addedText } from "../added-text.ts";
import { type IsAnswerable, isLeftToUser } from "../answerable.ts";
import type { MessageEncoder } from "../chat-protocol.ts";
import { defined, isSame } from "../json.ts";
import { textSlices } from "../text-slices.ts";
import type { AiSdkVersion, UIFinishReason, UIMessageChunk } from "./chunks.ts";
import {
  messageMetadata,
  messageSteps,
  type MessageStep,
  type MessageStepsOptions,
  messageTail,
  needsEmptyStep,
  type ShownPart,
  type StepEntry,
} from "./message-steps.ts";
import { needsInput, toolChunks } from "./tool-part.ts";
import type { UIMessageData, UIMessageMetadata, UIToolPart } from "./ui-message.ts";

/** How messages are shown to a page that uses the AI SDK. */
export interface AiSdkOptions {
  /** Major version of the `ai` package in the page. @defaultValue 6 */
  readonly version?: AiSdkVersion | undefined;
  /**
   * Tools whose calls are `dynamic-tool` parts, because the page's types don't have them, such as tools of an MCP
   * server.
   * @defaultValue none: the part of each call is `tool-NAME`
   */
  readonly isDynamic?: ((toolName: string) => boolean) | undefined;
  /**
   * Whether the page offers to approve a call; others wait as `input-available`. @defaultValue calls that their tool leaves to the user,
   * with `approvedBy: "user"`
   */
  readonly isAnswerable?: IsAnswerable | undefined;
  /** The text of an error outside of a run, such as a store that fails. @defaultValue "Something went wrong." */
  readonly errorText?: ((error: unknown) => string) | undefined;
}

/** Options of one encoder. */
export interface AiSdkEncoderOptions extends AiSdkOptions {
  /**
   * The message as the page already has it, if it adds to it: it has sent answers to the message's pending calls.
   * @defaultValue none: the page builds the message from nothing
   */
  readonly known?: Message | undefined;
  /**
   * The page may have a part of the message, and gets all of it again. Version 7 clients drop their part by themselves.
   * @defaultValue false
   */
  readonly isReplay?: boolean | undefined;
}

/**
 * Reports changes in a message as chunks of the AI SDK's UI message stream. Parts are only ever added to the last step;
 * if something earlier has changed, the steps from there on are taken back and sent again.
 */
export class AiSdkEncoder implements MessageEncoder<UIMessageChunk> {
  readonly #options: MessageStepsOptions;
  readonly #errorText: (error: unknown) => string;
  readonly #isReplay: boolean;
  #message: Message | undefined;
  #metadata: UIMessageMetadata | undefined;
  #isChecking = false;
  /** The steps that count, as the client has them. */
  readonly #steps: MessageStep[] = [];
  #position: ConversationPosition | undefined;
  /** No answer has begun since the last call. */
  #isSameAttempt = false;
  /** A step was begun and not finished. */
  #isInStep = false;
  /** The parts of the step that was begun were taken back, and no others have come. */
  #isEmptied = false;
  /** The last step that counts is the last one that the client has. */
  #canReset = true;

  constructor({
    version = 6,
    isDynamic = () => false,
    isAnswerable = isLeftToUser,
    errorText = () => "Something went wrong.",
    known,
    isReplay = false,
  }: AiSdkEncoderOptions = {}) {
    this.#options = { version, isDynamic, isAnswerable, cache: new WeakMap() };
    this.#isReplay = isReplay;
    this.#errorText = errorText;
    if (known !== undefined) this.#steps.push(...knownSteps(known, this.#options));
  }

  show(
    message: Message,
    { position }: Conversation,
    changes?: readonly ConversationChange[],
  ): readonly UIMessageChunk[] {
    if (message === this.#message) return [];
    this.#isSameAttempt = this.#position !== undefined && isSameAttempt(this.#position, position);
    this.#position = position;
    const added = addedText(this.#message, message, changes);
    this.#message = message;
    const more = added && this.#addText(added);
    if (more !== undefined) return more;
    const chunks: UIMessageChunk[] = [...this.#showMetadata(message), ...this.#showChecking(message)];
    const steps = messageSteps(message, this.#options);
    const kept = this.#countKept(steps);
    if (kept < this.#steps.length) chunks.push(...this.#takeBack(kept));
    for (const [index, step] of steps.entries()) {
      const shown = this.#steps[index];
      if (shown === undefined) chunks.push(...this.#beginStep(step));
      for (const entry of step.entries)
        chunks.push(...entryChunks(findEntry(shown, entry)?.part, entry, this.#options.version));
      this.#steps[index] = shown === undefined ? step : keepEnded(shown, step);
    }
    return chunks;
  }

  finish(conversation: Conversation): readonly UIMessageChunk[] {
    const message = conversation.messages.findLast(({ id }) => id === this.#message?.id) ?? this.#message;
    if (message === undefined) return [{ type: "finish", finishReason: "other" }];
    const shown = [...this.show(message, conversation), ...this.#closeParts()];
    const chunks: UIMessageChunk[] = [...shown, ...messageTail(message), ...this.#finishStep()];
    if (needsEmptyStep(message, this.#steps)) {
      // A client only notices a step when something else follows it.
      const known = { type: "message-metadata", messageMetadata: { state: message.state } } as const;
      chunks.push({ type: "start-step" }, { type: "finish-step" }, known);
    }
    return [...chunks, endOf(message)];
  }

  fail(error: unknown): readonly UIMessageChunk[] {
    return [...this.#closeParts(), ...this.#finishStep(), { type: "error", errorText: this.#errorText(error) }];
  }

  /** More of the text that the client is receiving; undefined when it is receiving none. */
  #addText({ type, delta }: AddedText): readonly UIMessageChunk[] | undefined {
    const step = this.#steps.at(-1);
    const index = step?.entries.findLastIndex(({ isCall, isData = false }) => !isCall && !isData) ?? -1;
    const entry = step?.entries[index];
    if (step === undefined || entry === undefined || !this.#canReset) return undefined;
    const { id, part } = entry;
    if (part.type !== (type === "text" ? "text" : "reasoning") || !("text" in part) || !isOpen(part)) return undefined;
    const longer = { ...entry, part: { ...part, text: part.text + delta } };
    this.#steps[this.#steps.length - 1] = { ...step, entries: step.entries.with(index, longer) };
    return deltas(part.type, id, delta);
  }

  #showMetadata(message: Message): readonly UIMessageChunk[] {
    const shown = this.#metadata;
    const metadata = messageMetadata(message);
    this.#metadata = metadata;
    if (shown === undefined) {
      const start = { type: "start", messageId: message.id, messageMetadata: metadata } as const;
      // useChat of version 6 hides from its client that its transport replays, so that only the page's own Chat starts
      // over.
      const isKept = this.#isReplay && this.#options.version < 7;
      return isKept ? [start, { type: "data-discard", data: { steps: "all" } }] : [start];
    }
    const news = Object.entries(metadata).filter(
      // Both have the same members.
      ([name, value]) => !isSame(shown[name as keyof UIMessageMetadata], value),
    );
    return news.length === 0 ? [] : [{ type: "message-metadata", messageMetadata: Object.fromEntries(news) }];
  }

  #showChecking({ checking }: Message): readonly UIMessageChunk[] {
    const isChecking = checking === true;
    if (isChecking === this.#isChecking) return [];
    this.#isChecking = isChecking;
    const data: UIMessageData["checking"] = { isChecking };
    return [{ type: "data-checking", data, transient: true }];
  }

  /** How many of the first steps can stay, with nothing but additions. */
  #countKept(steps: readonly MessageStep[]): number {
    for (const [index, shown] of this.#steps.entries()) {
      const step = steps[index];
      if (step === undefined || step.id !== shown.id) return index;
      const isLast = index === this.#steps.length - 1 && this.#canReset;
      if (!canBecome(shown, step, isLast, this.#isSameAttempt)) return index;
    }
    return this.#steps.length;
  }

  #takeBack(kept: number): readonly UIMessageChunk[] {
    const removed = this.#steps.length - kept;
    if (this.#options.version > 6 && removed === 1 && this.#canReset) {
      this.#canReset = false;
      // The step remains, without its parts.
      this.#isEmptied = this.#steps.at(-1)?.id !== undefined;
      this.#isInStep ||= this.#isEmptied;
      this.#steps.length = kept;
      return [{ type: "reset-step" }];
    }
    const steps = removed + (this.#isEmptied ? 1 : 0);
    const chunks = [...this.#closeParts(), { type: "data-discard", data: { steps } } as const];
    this.#canReset = false;
    this.#steps.length = kept;
    return [...chunks, ...this.#finishStep()];
  }

  #beginStep({ id }: MessageStep): readonly UIMessageChunk[] {
    this.#canReset = true;
    if (this.#isEmptied) {
      this.#isEmptied = false;
      return [];
    }
    const ended = this.#finishStep();
    if (id === undefined) return ended;
    this.#isInStep = true;
    return [...ended, { type: "start-step" }];
  }

  #finishStep(): readonly UIMessageChunk[] {
    const chunks = this.#isInStep ? [{ type: "finish-step" } as const] : [];
    this.#isInStep = false;
    this.#isEmptied = false;
    return chunks;
  }

  /** Ends the texts that can still grow. */
  #closeParts(): readonly UIMessageChunk[] {
    return (this.#steps.at(-1)?.entries ?? []).flatMap(({ id, part }): readonly UIMessageChunk[] =>
      isOpen(part) ? [{ type: part.type === "text" ? "text-end" : "reasoning-end", id }] : [],
    );
  }
}

/** The steps of a message that a page has. A person may have changed arguments in its last step since, here or in another page. */
function knownSteps(known: Message, options: MessageStepsOptions): readonly MessageStep[] {
  const steps = messageSteps(known, options);
  const edited = new Set(known.parts.flatMap((part) => (part.type === "tool-call" && part.edited ? [part.id] : [])));
  return steps.map((step, index) => {
    if (index < steps.length - 1) return step;
    // An empty input looks like none, so it is sent again.
    const entries = step.entries.map((entry) =>
      entry.isCall && edited.has(entry.id) ? { ...entry, part: { ...entry.part, input: undefined } } : entry,
    );
    return { ...step, entries };
  });
}

/**
 * True when chunks can turn a client's version of a step into another.
 *
 * @param isLast - It is the client's last step, void ones included: parts can be added only there.
 */
function canBecome(shown: MessageStep, step: MessageStep, isLast: boolean, isSameText: boolean): boolean {
  // All entries but calls are named by their places, so one that has moved has changed.
  const isKept = shown.entries.every((entry) => {
    const next = findEntry(step, entry);
    if (next === undefined || !canGrow(entry.part, next.part, isSameText)) return false;
    return isLast || !isTool(entry.part) || !isTool(next.part) || !needsInput(entry.part, next.part);
  });
  return isKept && (isLast || step.entries.length === shown.entries.length);
}

function canGrow(shown: ShownPart, part: ShownPart, isSameText: boolean): boolean {
  if (shown === part) return true;
  if (shown.type !== part.type) return false;
  if ((shown.type === "text" && part.type === "text") || (shown.type === "reasoning" && part.type === "reasoning"))
    return shown.text === part.text || (isOpen(shown) && beginsWith(part.text, shown.text, isSameText));
  // A part with the same id replaces it.
  if ("id" in shown && "id" in part && part.type.startsWith("data-")) return shown.id === part.id;
  return isTool(shown) && isTool(part) ? isSameCall(shown, part) : isSame(shown, part);
}

/** True for a call of the same tool with the same arguments, as far as they were written. */
function isSameCall(shown: UIToolPart, part: UIToolPart): boolean {
  if (shown.toolName !== part.toolName) return false;
  if (shown.state !== "input-streaming") return part.state !== "input-streaming" && isSame(shown.input, part.input);
  return shown.rawInput === undefined || isSame(shown.input, part.input);
}

/** @param isLikely - Compares only the end of the beginning: otherwise each word takes time proportional to the whole text. */
function beginsWith(text: string, beginning: string, isLikely: boolean): boolean {
  return text.startsWith(
    isLikely ? beginning.slice(-256) : beginning,
    isLikely ? Math.max(0, beginning.length - 256) : 0,
  );
}

function isSameAttempt(a: ConversationPosition, b: ConversationPosition): boolean {
  return a.log === b.log && a.live[0] === b.live[0] && a.live[1] === b.live[1];
}

/** A text that has ended for the client stays ended, even if it is the last one again. */
function keepEnded(shown: MessageStep, step: MessageStep): MessageStep {
  const entries = step.entries.map((entry) => {
    const before = isOpen(entry.part) ? findEntry(shown, entry) : undefined;
    return before !== undefined && !isOpen(before.part) ? before : entry;
  });
  return { ...step, entries };
}

function findEntry(step: MessageStep | undefined, { id }: StepEntry): StepEntry | undefined {
  return step?.entries.find((entry) => entry.id === id);
}

function entryChunks(
  shown: ShownPart | undefined,
  { id, part }: StepEntry,
  version: AiSdkVersion,
): readonly UIMessageChunk[] {
  if (isTool(part)) {
    const before = shown !== undefined && isTool(shown) ? shown : undefined;
    return isSame(before, part) ? [] : toolChunks(before, part, version);
  }
  // A part that is sent whole has the members of its chunk.
  if (part.type !== "text" && part.type !== "reasoning") return isSame(shown, part) ? [] : [part];
  const { type, text } = part;
  const chunks: UIMessageChunk[] = [];
  const known = shown !== undefined && "text" in shown ? shown : undefined;
  // A text that has ended stays as it is.
  if (known !== undefined && !isOpen(known)) return [];
  if (known === undefined) chunks.push({ type: `${type}-start`, id });
  const delta = text.slice(known?.text.length ?? 0);
  chunks.push(...deltas(type, id, delta));
  if (isOpen(part)) return chunks;
  if (type === "reasoning") return [...chunks, { type: "reasoning-end", id }];
  const { citations, providerMetadata } = part;
  return [...chunks, { type: "text-end", id, ...defined({ citations, providerMetadata }) }];
}

function deltas(type: "text" | "reasoning", id: string, text: string): readonly UIMessageChunk[] {
  return Array.from(textSlices(text), (delta) => ({ type: `${type}-delta`, id, delta }));
}

function isTool(part: ShownPart): part is UIToolPart {
  return part.type === "dynamic-tool" || part.type.startsWith("tool-");
}

function isOpen(part: ShownPart): boolean {
  return (part.type === "text" || part.type === "reasoning") && part.state === "streaming";
}

/** The last chunk of a message. */
function endOf({ state, stopReason, error }: Message): UIMessageChunk {
  if (stopReason === "aborted") return { type: "abort", reason: error?.message ?? "The run was stopped." };
  if (stopReason === "failed") return { type: "error", errorText: error?.message ?? "Something went wrong." };
  const finishReason = state === "streaming" ? undefined : FINISH_REASONS.get(stopReason);
  return { type: "finish", finishReason: finishReason ?? "other" };
}

/** By the stop reason; `other` for any that is not here. */
const FINISH_REASONS: ReadonlyMap<Message["stopReason"], UIFinishReason> = new Map([
  ["finished", "stop"],
  ["stopped", "stop"],
  ["needs-approval", "tool-calls"],
  ["needs-outcome", "tool-calls"],
  ["truncated", "length"],
  ["blocked", "content-filter"],
  ["guardrail", "content-filter"],
  ["empty", "error"],
  ["bad-call", "error"],
  ["invalid-output", "error"],
]);
