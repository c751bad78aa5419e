import type { ModelResponse } from "../model/model.ts";
import type { Content } from "../wire/types/content.ts";
import { answerId, userMessageId } from "../session/log/rewind.ts";
import { saidParts } from "./view/answer-parts.ts";
import { applyUpdate, emptyConversation, isLiveLater } from "./apply-update.ts";
import type {
  Conversation,
  ConversationChange,
  ConversationPosition,
  ConversationUpdate,
  LivePosition,
  Message,
  QueuedMessage,
} from "./conversation.ts";
import { RunView } from "./view/run-view.ts";

/** A place in what the log does not have yet; see `LivePosition`. */
export interface LivePlace {
  readonly attempt: number;
  readonly said: number;
  readonly seen?: number | undefined;
}

/** A conversation and what is known of its last run. It changes only by the updates that it gives out. */
export class ConversationWriter {
  conversation: Conversation;
  run: RunView | undefined;
  /** Answers of the last run that put its result into a schema, which are not shown. */
  readonly outputs: ModelResponse[] = [];
  #changes: ConversationChange[] = [];

  constructor(start: Conversation | string) {
    this.conversation = typeof start === "string" ? emptyConversation(start) : start;
  }

  change(...changes: readonly ConversationChange[]): void {
    this.#changes.push(...changes);
  }

  /** A run begins: what was said to it, and its own message. */
  beginRun(runId: string, input: readonly Content[], at: number | undefined): RunView {
    this.leaveRun(false);
    this.outputs.length = 0;
    const message = (role: Message["role"]): Message => ({
      id: role === "user" ? userMessageId(runId) : answerId(runId),
      role,
      runId,
      ...(at !== undefined && { at }),
      state: role === "user" ? "complete" : "streaming",
      parts: role === "user" ? saidParts(input) : [],
      sources: [],
      searchSuggestions: [],
    });
    const said = message("user");
    if (said.parts.length > 0) this.change({ type: "message", message: said });
    const own = message("assistant");
    this.change({ type: "message", message: own });
    this.run = new RunView(runId, own);
    return this.run;
  }

  /** The last run is over for good. */
  leaveRun(isDropped: boolean): void {
    const { run } = this;
    if (run === undefined) return;
    run.isLeft = true;
    run.isDropped = isDropped;
    run.touch();
    this.change(...run.show());
    this.run = undefined;
  }

  /** The run and all that followed is no longer part of the conversation. */
  takeBack(runId: string): void {
    const { messages } = this.conversation;
    const first = messages.findIndex((message) => message.runId === runId);
    this.run = undefined;
    if (first >= 0) this.change({ type: "take-back", ids: messages.slice(first).map(({ id }) => id) });
  }

  /** What is said and not heard. */
  queue(queued: readonly QueuedMessage[]): void {
    const known = this.conversation.queued;
    const gone = known.filter(({ id }) => !queued.some((one) => one.id === id)).map(({ id }) => id);
    if (gone.length > 0) this.change({ type: "unqueue", ids: gone });
    for (const message of queued)
      if (!known.some(({ id }) => id === message.id)) this.change({ type: "queue", message });
  }

  /** The update that an entry makes, even when nothing of it is shown. */
  entryUpdate(isOfRun: boolean): ConversationUpdate {
    this.#showRun();
    const { log, live } = this.conversation.position;
    return this.#update({ log: log + 1, live: isOfRun ? [live[0] + 1, 0, 0, 0] : live });
  }

  /** The update that something not in the log makes; undefined when nothing has changed. */
  liveUpdate({ attempt, said, seen = 0 }: LivePlace): ConversationUpdate | undefined {
    this.#showRun();
    if (this.#changes.length === 0) return undefined;
    const { log, live } = this.conversation.position;
    const place: LivePosition = [live[0], attempt, said, seen];
    return this.#update({ log, live: isLiveLater(place, live) ? place : [live[0], live[1], live[2], live[3] + 1] });
  }

  #showRun(): void {
    if (this.run !== undefined) this.change(...this.run.show());
  }

  #update(at: ConversationPosition): ConversationUpdate {
    const update: ConversationUpdate = { type: "changes", at, changes: this.#changes };
    this.#changes = [];
    this.conversation = applyUpdate(this.conversation, update);
    return update;
  }
}
