import type { Conversation, ConversationChange, Message } from "@pollux/core/conversation";
import { type AddedText, addedText } from "../added-text.ts";
import type { IsAnswerable } from "../answerable.ts";
import type { MessageEncoder } from "../chat-protocol.ts";
import { isSame } from "../json.ts";
import { CallReports } from "./call-reports.ts";
import type { AgUiEvent } from "./events.ts";
import { resultIdOf } from "./ids.ts";
import { type Entry, type EntryCache, messageEntries, queuedMessages, toAgUiMessages } from "./message-entries.ts";
import { ACTIVITY_TYPES, type AgUiMessage } from "./messages.ts";
import { type QuestionTools, runEnd } from "./run-end.ts";
import { SharedState, type StateOf, todoState } from "./shared-state.ts";
import { TextEvents } from "./text-events.ts";

/** How messages are shown to clients of AG-UI. */
export interface AgUiOptions {
  /**
   * Tools without `run` whose calls are questions to a person: interrupts. The client executes the calls of all others.
   * @defaultValue `ask_user` of `@pollux/tools`, with a payload of `{ answer }`
   */
  readonly questions?: QuestionTools | undefined;
  /**
   * Whether the client is asked about a call that waits; the activity `pollux.waiting` lists the others. @defaultValue
   * calls that their tool leaves to the user, with `approvedBy: "user"`
   */
  readonly isAnswerable?: IsAnswerable | undefined;
  /** The state that the agent shares with its clients. @defaultValue {@link todoState} */
  readonly state?: StateOf | undefined;
  /** The text of an error outside of a run, such as a store that fails. @defaultValue "Something went wrong." */
  readonly errorText?: ((error: unknown) => string) | undefined;
}

/** Options of one encoder. */
export interface AgUiEncoderOptions extends AgUiOptions {
  /** @defaultValue the id of the conversation */
  readonly threadId?: string | undefined;
  /** What the client calls the run. @defaultValue the id of the message's run */
  readonly runId?: string | undefined;
  /**
   * The message as the client already has it, if it adds to it. @defaultValue the client doesn't have it
   */
  readonly known?: Message | undefined;
  /**
   * What the client shows before the message, for a server that does not keep it. @defaultValue the messages of the
   * conversation, which are sent first
   */
  readonly before?: readonly AgUiMessage[] | undefined;
}

/**
 * Reports changes in a message as AG-UI events. A snapshot of all messages covers what the client already has and
 * anything that is taken back.
 */
export class AgUiEncoder implements MessageEncoder<AgUiEvent> {
  readonly #options: AgUiEncoderOptions;
  readonly #state: SharedState;
  readonly #reports: CallReports = new CallReports();
  readonly #texts: TextEvents = new TextEvents();
  readonly #cache: EntryCache = new Map();
  #message: Message | undefined;
  #queued: Conversation["queued"] | undefined;
  /** What the client has of the message and what follows it, by id. */
  #sent: Map<string, AgUiMessage> = new Map();
  /** The id of the message that the client has, whose text can still grow. */
  #openId: string | undefined;
  #turn: number | undefined;
  #isChecking = false;

  constructor(options: AgUiEncoderOptions = {}) {
    this.#options = options;
    this.#state = new SharedState(options.state ?? todoState);
  }

  show(message: Message, conversation: Conversation, changes?: readonly ConversationChange[]): readonly AgUiEvent[] {
    if (message === this.#message && conversation.queued === this.#queued) return [];
    const added = conversation.queued === this.#queued ? addedText(this.#message, message, changes) : undefined;
    const more = added && this.#addText(added);
    if (more !== undefined) {
      this.#message = message;
      return [...more, ...this.#stateDelta(message, conversation)];
    }
    const events: AgUiEvent[] = this.#message === undefined ? [...this.#start(message, conversation)] : [];
    this.#message = message;
    this.#queued = conversation.queued;
    const isChecking = message.checking === true;
    if (isChecking !== this.#isChecking)
      events.push({ type: "CUSTOM", name: "pollux.checking", value: { isChecking } });
    this.#isChecking = isChecking;
    const entries = [
      ...messageEntries(message, this.#options.isAnswerable, this.#cache),
      ...queuedEntries(conversation),
    ];
    if (!this.#canBecome(entries)) events.push(...this.#takeBack(entries, conversation));
    for (const entry of entries) events.push(...this.#showEntry(entry));
    this.#sent = byId(entries.map(({ message: shown }) => shown));
    this.#openId = entries.findLast(({ isOpen }) => isOpen)?.message.id;
    return [...events, ...this.#stateDelta(message, conversation), ...this.#reports.show(message)];
  }

  /** More of the text that the client is receiving; undefined when it is receiving none. */
  #addText({ type, delta }: AddedText): readonly AgUiEvent[] | undefined {
    const id = this.#openId ?? "";
    const sent = this.#sent.get(id);
    const role = type === "text" ? "assistant" : "reasoning";
    if (sent?.role !== role || typeof sent.content !== "string") return undefined;
    this.#sent.set(id, { ...sent, content: sent.content + delta });
    return this.#texts.add(id, role, delta);
  }

  #stateDelta(message: Message, conversation: Conversation): readonly AgUiEvent[] {
    const delta = this.#state.changes(message, conversation);
    return delta.length === 0 ? [] : [{ type: "STATE_DELTA", delta }];
  }

  finish(conversation: Conversation): readonly AgUiEvent[] {
    const message = conversation.messages.findLast(({ id }) => id === this.#message?.id) ?? this.#message;
    if (message === undefined) return [{ type: "RUN_ERROR", message: "There is no answer.", code: "no_answer" }];
    const events = [...this.show(message, conversation), ...this.#close()];
    const { usage: usageBefore } = this.#options.known ?? {};
    return [...events, runEnd(message, { ...this.#options, ...this.#ids(message, conversation), usageBefore })];
  }

  fail(error: unknown): readonly AgUiEvent[] {
    const { errorText = () => "Something went wrong." } = this.#options;
    return [...this.#close(), { type: "RUN_ERROR", message: errorText(error), code: "internal" }];
  }

  #ids({ runId, id }: Message, conversation: Conversation): { readonly threadId: string; readonly runId: string } {
    const { threadId = conversation.id, runId: own = runId ?? id } = this.#options;
    return { threadId, runId: own };
  }

  #start(message: Message, conversation: Conversation): readonly AgUiEvent[] {
    const { known, before } = this.#options;
    const own = known === undefined ? [] : messageEntries(known, this.#options.isAnswerable);
    this.#message = message;
    const started: AgUiEvent = { type: "RUN_STARTED", ...this.#ids(message, conversation), protocolVersion: "1.0" };
    const queued = before === undefined ? queuedEntries(conversation) : [];
    const shown = [...own, ...queued].map((entry) => entry.message);
    this.#sent = byId(shown);
    return before === undefined ? [started, this.#snapshot(shown, conversation)] : [started];
  }

  /** @param hadThoughts - The client has some of this message. */
  #snapshot(own: readonly AgUiMessage[], conversation: Conversation, hadThoughts: boolean = false): AgUiEvent {
    const id = this.#message?.id;
    const others = conversation.messages.filter((one) => one.id !== id);
    const before =
      this.#options.before ?? toAgUiMessages({ ...conversation, messages: others, queued: [] }, this.#options);
    const messages = [...before, ...own];
    // Clients keep the thoughts that they have if a snapshot has none, so it has an empty one.
    if (hadThoughts && !messages.some(isThought))
      messages.push({ id: `${id}/discarded`, role: "reasoning", content: "" });
    const metadata = { "@ag-ui/client": { authoritativeActivityTypes: ACTIVITY_TYPES } };
    return { type: "MESSAGES_SNAPSHOT", messages, metadata };
  }

  /** True when events can turn what the client has into these. */
  #canBecome(entries: readonly Entry[]): boolean {
    const next = new Map(entries.map(({ message }) => [message.id, message]));
    for (const [id, sent] of this.#sent) {
      const message = next.get(id);
      if (message === undefined || !canGrow(sent, message)) return false;
    }
    return (
      [...next.values()].every((message) => isSayable(message) || this.#sent.has(message.id)) && this.#isAdded(entries)
    );
  }

  /** True when what is new comes after what the client has. Only results of parallel calls come in any order. */
  #isAdded(entries: readonly Entry[]): boolean {
    const lastSent = entries.findLastIndex(({ message }) => this.#sent.has(message.id));
    return entries.slice(0, lastSent).every(({ message }) => message.role === "tool" || this.#sent.has(message.id));
  }

  /**
   * Takes back everything from the first change on with a snapshot, and sends it again: clients keep the places of
   * their messages.
   */
  #takeBack(entries: readonly Entry[], conversation: Conversation): readonly AgUiEvent[] {
    const events = [...this.#texts.close()];
    const sent = [...this.#sent.values()];
    const answered = new Set([...callsOf(entries.map(({ message }) => message)), ...resultsOf(sent)]);
    // The client would try to answer a call without a result.
    for (const toolCallId of callsOf(sent)) if (!answered.has(toolCallId)) events.push(resultOf(toolCallId));
    const own = this.#kept(entries);
    this.#sent = byId(own);
    return [...events, this.#snapshot(own, conversation, sent.some(isThought))];
  }

  /** The messages before the first that the client has differently, and all up to the last that only a snapshot can carry. */
  #kept(entries: readonly Entry[]): readonly AgUiMessage[] {
    const messages = entries.map(({ message }) => message);
    const change = messages.findIndex((message) => !isSame(this.#sent.get(message.id), message));
    const needed = messages.findLastIndex((message) => !isSayable(message));
    return messages.slice(0, change === -1 ? undefined : Math.max(change, needed + 1));
  }

  #showEntry({ message, turn, isOpen }: Entry): readonly AgUiEvent[] {
    const sent = this.#sent.get(message.id);
    if (sent === message) return [];
    const events: AgUiEvent[] = [];
    if (message.role === "assistant" || message.role === "reasoning" || message.role === "user") {
      const { id, role, content, metadata } = message;
      if (role === "assistant" && metadata !== undefined && !isSame(sent?.metadata, metadata))
        events.push(...this.#texts.mark(id, metadata));
      // It begins with what was sent.
      const before = sent?.role === role && typeof sent.content === "string" ? sent.content.length : 0;
      if (typeof content === "string") events.push(...this.#texts.add(id, role, content.slice(before)));
      if (typeof content === "string" && !isOpen) events.push(...this.#texts.end(id));
      if (message.role === "assistant") {
        const known = new Set(sent === undefined ? [] : callsOf([sent]));
        for (const call of message.toolCalls ?? [])
          if (!known.has(call.id)) events.push(...callEvents(call, message.id));
      }
    } else if (sent === undefined || !isSame(sent, message)) events.push(messageEvent(message));
    return events.length === 0 ? events : [...this.#enterTurn(turn), ...events];
  }

  #enterTurn(turn: number): readonly AgUiEvent[] {
    if (turn <= (this.#turn ?? 0)) return [];
    const ended = this.#endTurn();
    this.#turn = turn;
    return [...ended, { type: "STEP_STARTED", stepName: `turn ${turn}` }];
  }

  #endTurn(): readonly AgUiEvent[] {
    return this.#turn === undefined ? [] : [{ type: "STEP_FINISHED", stepName: `turn ${this.#turn}` }];
  }

  #close(): readonly AgUiEvent[] {
    const events = [...this.#texts.close(), ...this.#reports.close(), ...this.#endTurn()];
    this.#turn = undefined;
    return events;
  }
}

function queuedEntries(conversation: Conversation): readonly Entry[] {
  return queuedMessages(conversation).map((message) => ({ message, turn: 0, isOpen: false }));
}

function byId(messages: readonly AgUiMessage[]): Map<string, AgUiMessage> {
  return new Map(messages.map((message) => [message.id, message]));
}

function isThought({ role }: AgUiMessage): boolean {
  return role === "reasoning";
}

/** True for a message that events can carry: of a user's, only text. */
function isSayable(message: AgUiMessage): boolean {
  return message.role !== "user" || typeof message.content === "string";
}

/** The calls that have a result. */
function resultsOf(messages: readonly AgUiMessage[]): readonly string[] {
  return messages.flatMap((message) => (message.role === "tool" ? [message.toolCallId] : []));
}

function callsOf(messages: Iterable<AgUiMessage>): readonly string[] {
  return [...messages].flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []).map(({ id }) => id) : [],
  );
}

function canGrow(sent: AgUiMessage, next: AgUiMessage): boolean {
  if (sent === next) return true;
  switch (sent.role) {
    case "assistant":
      return (
        next.role === sent.role &&
        (next.content ?? "").startsWith(sent.content ?? "") &&
        (sent.toolCalls ?? []).every((call) => next.toolCalls?.some((one) => isSame(one, call)))
      );
    case "reasoning":
      return next.role === sent.role && next.content.startsWith(sent.content);
    case "activity":
      return next.role === sent.role && next.activityType === sent.activityType;
    default:
      return isSame(sent, next);
  }
}

type AssistantCall = NonNullable<Extract<AgUiMessage, { role: "assistant" }>["toolCalls"]>[number];

function callEvents({ id, function: { name, arguments: args } }: AssistantCall, messageId: string): AgUiEvent[] {
  return [
    { type: "TOOL_CALL_START", toolCallId: id, toolCallName: name, parentMessageId: messageId },
    { type: "TOOL_CALL_ARGS", toolCallId: id, delta: args },
    { type: "TOOL_CALL_END", toolCallId: id },
  ];
}

/** A message that is sent whole, in one event. */
function messageEvent(message: Extract<AgUiMessage, { role: "tool" | "activity" }>): AgUiEvent {
  const { id: messageId, metadata } = message;
  const about = { ...(metadata !== undefined && { metadata }) };
  if (message.role === "tool") {
    const { role, toolCallId, content } = message;
    return { type: "TOOL_CALL_RESULT", messageId, toolCallId, content, role, ...about };
  }
  const { id: _id, role: _role, metadata: _metadata, ...activity } = message;
  return { type: "ACTIVITY_SNAPSHOT", messageId, replace: true, ...activity, ...about };
}

/** The result of a call that is taken back. */
function resultOf(toolCallId: string): AgUiEvent {
  const messageId = resultIdOf(toolCallId);
  return { type: "TOOL_CALL_RESULT", messageId, toolCallId, content: "The call was not run.", role: "tool" };
}
