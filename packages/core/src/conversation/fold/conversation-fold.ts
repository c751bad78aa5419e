import type { RunEvent } from "../../loop/events.ts";
import type { Content } from "../../wire/types/content.ts";
import type { SessionEntry } from "../../session/log/entries.ts";
import type { Draft } from "../../session/store/records.ts";
import { answerId } from "../../session/log/rewind.ts";
import { AnswerParts } from "../view/answer-parts.ts";
import { QUESTION_OF } from "../apply-update.ts";
import type { Conversation, ConversationChange, ConversationUpdate, Message } from "../conversation.ts";
import { ConversationWriter } from "../conversation-writer.ts";
import { EntryReader } from "./read-entry.ts";
import { endView, EventReader } from "./read-event.ts";
import { stateAfter } from "../view/call-view.ts";
import { RunView } from "../view/run-view.ts";
import { safeError, safeFailure } from "../view/safe-texts.ts";

/** What stands beside a log, as far as it is shown. */
export interface SeenRecords {
  /** A run is going. */
  readonly isRunning: boolean;
  readonly draft?: Draft | undefined;
}

/**
 * A conversation as it grows: from the entries of a log, from what stands beside it, and from the events of a run in this process, in
 * any order in which they become known. Each addition gives the update that it makes.
 */
export class LogFold {
  readonly #writer: ConversationWriter;
  readonly #entries: EntryReader;
  readonly #events: EventReader;

  constructor(id: string) {
    this.#writer = new ConversationWriter(id);
    this.#entries = new EntryReader(this.#writer);
    this.#events = new EventReader(this.#writer, {
      truth: "log",
      onHeard: (contents) => this.#entries.showQueue(contents),
    });
  }

  get conversation(): Conversation {
    return this.#writer.conversation;
  }

  /** True while the words of the run that is going come from its events. */
  get isFollowing(): boolean {
    return this.#events.isFollowing;
  }

  /** The next entry of the log. */
  addEntry(entry: SessionEntry): ConversationUpdate {
    const isOfRun = this.#entries.read(entry);
    return this.#writer.entryUpdate(isOfRun);
  }

  /** What is seen beside the log, which was read before. Not for a run that is followed by its events: they know more. */
  addRecords(seen: SeenRecords): ConversationUpdate | undefined {
    const { isRunning, draft } = seen;
    const { run } = this.#writer;
    if (run === undefined || run.end !== undefined) return undefined;
    const said = this.#addDraft(run, seen);
    const { attempt = 0 } = draft ?? {};
    if (run.hasRunner === isRunning) return this.#writer.liveUpdate({ attempt, said });
    run.hasRunner = isRunning;
    run.touch();
    // Behind all that was said while the run was going.
    const [, last] = this.conversation.position.live;
    return this.#writer.liveUpdate(isRunning ? { attempt, said } : { attempt: last + 1, said: 0 });
  }

  /** The next event of a run of this process; before it, the entries that the log had then. */
  addEvent(event: RunEvent): ConversationUpdate | undefined {
    this.#events.read(event);
    return this.#writer.liveUpdate(this.#events.place);
  }

  /** @returns How much the draft says. */
  #addDraft(run: RunView, { draft, isRunning }: SeenRecords): number {
    const step = draft?.runId === run.runId ? draft.place : undefined;
    // What guardrails have not checked is shown while it is said, and not afterwards.
    const isShown = draft !== undefined && (draft.guarded !== true || isRunning);
    const isOpen = isShown && step?.kind === "model" && !this.#entries.hasEnded(draft.place);
    for (const turn of run.turns()) {
      if (turn.live === undefined || (isOpen && turn.turn === step.turn)) continue;
      turn.live = undefined;
      run.touch(turn);
    }
    if (!isOpen) return 0;
    const turn = run.turn(step.turn);
    turn.live = { said: new AnswerParts(step.turn, "live", draft.parts) };
    run.touch(turn);
    return draft.parts.reduce((sum, { text }) => sum + (text?.length ?? 1), 0);
  }
}

/** A conversation as it grows by the events of one run, of which nothing else is known. */
export class EventFold {
  readonly #writer: ConversationWriter;
  readonly #events: EventReader;
  readonly #input: readonly Content[];

  /** @param input - What the run was sent; needed for a run that the conversation does not have. */
  constructor(start: Conversation, input: readonly Content[]) {
    this.#writer = new ConversationWriter(start);
    this.#events = new EventReader(this.#writer, { truth: "events" });
    this.#input = input;
  }

  get conversation(): Conversation {
    return this.#writer.conversation;
  }

  add(event: RunEvent): ConversationUpdate | undefined {
    if (event.type === "run-start") this.#open(event.runId);
    this.#events.read(event);
    return this.#writer.liveUpdate(this.#events.place);
  }

  /** The run failed, or was aborted. */
  fail(
    error: { readonly name: string; readonly code?: string | undefined },
    isAborted: boolean,
    spent: Spent = {},
  ): ConversationUpdate | undefined {
    const { run } = this.#writer;
    if (run === undefined || run.end !== undefined) return undefined;
    endView(run, { stopReason: isAborted ? "aborted" : "failed", error: safeError(error, isAborted), ...spent });
    return this.#writer.liveUpdate(this.#events.place);
  }

  #open(runId: string): void {
    const known = this.conversation.messages.find(({ id }) => id === answerId(runId));
    if (known === undefined) {
      const last = this.conversation.messages.at(-1);
      if (last !== undefined) this.#writer.change(...leaveChanges(last));
      this.#writer.beginRun(runId, this.#input, undefined);
      return;
    }
    const run = new RunView(runId, known);
    this.#writer.run = run;
    // Its answer is asked for once more; what there was of it is void.
    const { interruptedTurn } = run;
    if (interruptedTurn !== undefined) run.turn(interruptedTurn).isHeld = false;
    run.touch();
  }
}

/** What a run leaves behind that the next one closes: nobody answers its questions any more. */
function leaveChanges({ id: messageId, state, parts }: Message): readonly ConversationChange[] {
  if (state !== "waiting") return [];
  return [
    { type: "message-fields", messageId, set: { state: "stopped" } },
    ...parts.flatMap((part): ConversationChange[] => {
      if (part.type !== "tool-call" || QUESTION_OF[part.state] === undefined) return [];
      const kind = part.state === "pending-outcome" ? "unknown-outcome" : "withdrawn";
      const set = { state: stateAfter(kind), failure: safeFailure(kind) };
      return [{ type: "part-fields", messageId, partId: part.id, set, unset: ["asks"] }];
    }),
  ];
}

type Spent = Pick<NonNullable<RunView["end"]>, "usage" | "cost" | "pricesAsOf">;
