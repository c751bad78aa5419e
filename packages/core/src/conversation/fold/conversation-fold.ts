import { answerId, userMessageId } from "../../session/log/rewind.ts";
import type { RunEntry } from "../../session/log/entries.ts";
import { applyUpdate, emptyConversation, isLiveLater } from "../apply-update.ts";
import type {
  Conversation,
  ConversationChange,
  ConversationPosition,
  ConversationUpdate,
  LivePosition,
  Message,
} from "../conversation.ts";
import { saidParts } from "../view/answer-parts.ts";
import { RunView } from "../view/run-view.ts";

/** How much of the answer under way is known; see `LivePosition`. */
export type LivePlace = readonly [attempt: number, said: number, seen: number];

/** A run that begins. */
export type BegunRun = Pick<RunEntry, "runId" | "input"> & Partial<Pick<RunEntry, "at" | "guarded">>;

/** A conversation that grows, and its last run. It changes only by the updates that it gives out. */
export class ConversationFold {
  conversation: Conversation;
  run: RunView | undefined;
  #changes: ConversationChange[] = [];

  constructor(start: Conversation | string) {
    this.conversation = typeof start === "string" ? emptyConversation(start) : start;
  }

  /** Goes into the next update. */
  change(...changes: readonly ConversationChange[]): void {
    this.#changes.push(...changes);
  }

  /** What was said to a run, and the run's own message. */
  beginRun(entry: BegunRun): void {
    const { runId, input, at } = entry;
    const message = (role: Message["role"], parts: Message["parts"]): Message => ({
      id: role === "user" ? userMessageId(runId) : answerId(runId),
      role,
      runId,
      ...(at !== undefined && { at }),
      state: role === "user" ? "complete" : "streaming",
      parts,
      sources: [],
      searchSuggestions: [],
    });
    const said = saidParts(input);
    if (said.length > 0) this.change({ type: "message", message: message("user", said) });
    const own = message("assistant", []);
    this.change({ type: "message", message: own });
    this.run = new RunView(entry, own);
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

  /** The update that an entry makes, even when nothing of it is shown. */
  entryUpdate(isOfRun: boolean): ConversationUpdate {
    const { log, live } = this.conversation.position;
    return this.#update({ log: log + 1, live: isOfRun ? [live[0] + 1, 0, 0, 0] : live });
  }

  /** The update that something not in the log makes; undefined when nothing has changed. */
  liveUpdate(known: LivePlace): ConversationUpdate | undefined {
    this.#showRun();
    if (this.#changes.length === 0) return undefined;
    const { log, live } = this.conversation.position;
    const place: LivePosition = [live[0], ...known];
    return this.#update({ log, live: isLiveLater(place, live) ? place : [live[0], live[1], live[2], live[3] + 1] });
  }

  #showRun(): void {
    if (this.run !== undefined) this.change(...this.run.show());
  }

  #update(at: ConversationPosition): ConversationUpdate {
    this.#showRun();
    const update: ConversationUpdate = { type: "changes", at, changes: this.#changes };
    this.#changes = [];
    this.conversation = applyUpdate(this.conversation, update);
    return update;
  }
}
