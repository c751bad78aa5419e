import { READS_SINCE } from "../../durable/run-log.ts";
import type { RunEvent } from "../../loop/events.ts";
import { isCallPiece } from "../../model/response/parts.ts";
import { readContents, type ReadSource } from "../../tool/reads.ts";
import type { Part } from "../../wire/types/content.ts";
import { answerId, userMessageId } from "../../session/log/session-view.ts";
import type { RunEntry } from "../../session/log/entries.ts";
import { applyUpdate, emptyConversation, isLiveLater } from "../updates.ts";
import type {
  Conversation,
  ConversationChange,
  ConversationPosition,
  ConversationUpdate,
  LivePosition,
  Message,
} from "../conversation.ts";
import { userParts, editCall } from "../view/answer-parts.ts";
import { hasRead, readsOf, RunView } from "../view/run-view.ts";
import type { LiveAnswer, TurnView } from "../view/turn-view.ts";

type BegunRun = Pick<RunEntry, "runId" | "input" | "agent"> &
  Partial<Pick<RunEntry, "at" | "guarded" | "loop" | "read">>;

/** A conversation that grows, and its last run. It changes only by the updates that it returns. */
export class ConversationFold {
  conversation: Conversation;
  run: RunView | undefined;
  /** What the contents from before the session bring. */
  historyRead: readonly ReadSource[] = [];
  #changes: ConversationChange[] = [];
  /** The run whose events are read. */
  #followed: string | undefined;
  /** How often the answer of this turn was generated again. */
  #recoveries = 0;
  /** How much of the unfinished answer is known: see `LivePosition`. */
  #attempt = 0;
  #received = 0;
  #seen = 0;

  constructor(start: Conversation | string) {
    this.conversation = typeof start === "string" ? emptyConversation(start) : start;
  }

  /** True while the text of the run in progress comes from its events. */
  get isFollowing(): boolean {
    return this.#followed !== undefined && this.run?.runId === this.#followed && this.run.isRunning;
  }

  /** Adds changes to the next update. */
  change(...changes: readonly ConversationChange[]): void {
    this.#changes.push(...changes);
  }

  /** Adds the message that began a run, and the run's own message. */
  beginRun(entry: BegunRun): void {
    const { runId, input, at, agent, loop, read } = entry;
    const before = this.conversation.messages.findLast(({ role }) => role === "model");
    // Events alone, and older loops, have no record of what the input brings.
    const brings = loop === undefined || loop < READS_SINCE ? readContents(input) : read;
    const known = { ...hasRead(before), ...readsOf(this.historyRead), ...readsOf(brings ?? []) };
    const message = (role: Message["role"], parts: Message["parts"]): Message => ({
      id: role === "user" ? userMessageId(runId) : answerId(runId),
      role,
      runId,
      ...(at !== undefined && { at }),
      ...(role === "model" && { agent, ...known }),
      state: role === "user" ? "complete" : "streaming",
      parts,
      sources: [],
      searchEntryPoints: [],
    });
    const parts = userParts(input);
    if (parts.length > 0) this.change({ type: "message", message: message("user", parts) });
    const own = message("model", []);
    this.change({ type: "message", message: own });
    this.run = new RunView(entry, own);
  }

  /** Closes the last run for good. */
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

  /**
   * The update that something not in the log makes; undefined when nothing has changed.
   *
   * @param known - See `LivePosition`. @defaultValue the place in the events that were read
   */
  liveUpdate(
    known: readonly [attempt: number, said: number, seen: number] = [this.#attempt, this.#received, this.#seen],
  ): ConversationUpdate | undefined {
    this.#showRun();
    if (this.#changes.length === 0) return undefined;
    const { log, live } = this.conversation.position;
    const place: LivePosition = [live[0], ...known];
    return this.#update({ log, live: isLiveLater(place, live) ? place : [live[0], live[1], live[2], live[3] + 1] });
  }

  /**
   * Reads from a run's events, in order, what no step has recorded yet: the text of the unfinished answer, and that a call has begun. The
   * rest comes from steps.
   */
  readLive(event: RunEvent): void {
    const { run } = this;
    if (event.type === "run-start") {
      this.#followed = event.runId;
      // A look at the lease from before the run began may have arrived after the run's entry.
      if (run?.runId === event.runId && !run.hasRunner) {
        run.hasRunner = true;
        run.touch();
      }
    }
    if (run === undefined || !this.isFollowing || event.type === "run-start" || event.type === "run-end") return;
    const turn = run.turn(event.turn);
    if (event.replayed !== true) run.release();
    switch (event.type) {
      case "turn-start":
        this.#recoveries = 0;
        this.#begin(0);
        // The events that follow repeat what a draft has of the turn.
        if (run.live?.turn === turn.turn) run.live = undefined;
        return;
      case "steer":
        if (!this.#accepts(turn)) return;
        // The request that includes the message is the first attempt.
        this.#attempt = Math.max(1, this.#attempt);
        this.#seen++;
        run.live = { turn: event.turn, parts: [], steering: event.contents };
        return;
      case "checking": {
        const live = this.#open(run, turn);
        if (live !== undefined) run.live = { ...live, checking: true };
        this.#seen++;
        return;
      }
      case "guardrail":
        if (event.side === "output" && this.#accepts(turn)) withdraw(run, turn, event.keeps);
        return;
      case "text-delta":
        return this.#addText(run, turn, { text: event.delta });
      case "thought-delta":
        return this.#addText(run, turn, { text: event.delta, thought: true });
      case "call-args-delta":
        return this.#add(run, turn, { functionCall: { name: event.name, willContinue: true } });
      case "part":
        return this.#add(run, turn, event.part);
      case "discard":
        this.#begin(Math.max(1, this.#attempt) + 1);
        if (this.#accepts(turn)) withdraw(run, turn);
        return;
      case "recover":
        this.#recoveries++;
        this.#begin(1);
        if (this.#accepts(turn)) run.live = { turn: event.turn, parts: [] };
        return;
      case "handoff":
        return run.handOver(event.turn, event.to);
      default:
        if ("callId" in event) this.#readCall(run, turn, event);
    }
  }

  /** A guardrail has withdrawn the turn's answer. @returns True when the answer was complete: another one takes its place. */
  withdraw(run: RunView, turn: TurnView): boolean {
    const isWhole = turn.answers > this.#recoveries;
    if (isWhole) {
      this.#recoveries = turn.answers;
      withdraw(run, turn);
    }
    return isWhole;
  }

  #readCall(run: RunView, turn: TurnView, event: Extract<RunEvent, { callId: string; turn: number }>): void {
    const call = turn.calls.get(event.callId);
    if (call === undefined || call.outcome !== undefined) return;
    this.#seen++;
    const part = "edited" in event && event.edited === true ? editCall(call.part, event.call.args) : call.part;
    const begun = event.type === "tool-start" ? (call.begun ?? "seen") : call.begun;
    const progress = event.type === "tool-progress" ? event.progress : call.progress;
    turn.calls.set(event.callId, { ...call, part, begun, progress });
    run.touch(turn);
  }

  #add(run: RunView, turn: TurnView, part: Part): void {
    const live = this.#open(run, turn);
    if (live === undefined) return;
    if (part.functionCall === undefined) this.#received++;
    else this.#seen++;
    // Further pieces of a call that is being written show nothing new.
    const call = isCallPiece(part) ? live.parts.findLast(({ functionCall }) => functionCall !== undefined) : undefined;
    if (call !== undefined && isCallPiece(call)) return;
    live.parts.push(part);
    run.touch(turn);
  }

  #addText(run: RunView, turn: TurnView, part: Part & { readonly text: string }): void {
    const live = this.#open(run, turn);
    if (live === undefined || part.text === "") return;
    this.#received += part.text.length;
    const change = run.grow(turn, part.thought === true ? "thought" : "text", part.text);
    const last = live.parts.at(-1);
    if (last?.text !== undefined && last.thought === part.thought)
      live.parts[live.parts.length - 1] = { ...last, text: last.text + part.text };
    else live.parts.push(part);
    if (change === undefined) run.touch(turn);
    else this.change(change);
  }

  /** The unfinished answer; undefined when its text is known already, or must not be shown. */
  #open(run: RunView, turn: TurnView): LiveAnswer | undefined {
    if (run.isOutput(turn) || !this.#accepts(turn)) return undefined;
    this.#attempt = Math.max(1, this.#attempt);
    if (run.live?.turn !== turn.turn) run.live = { turn: turn.turn, parts: [] };
    if (run.live?.checking) run.live = { ...run.live, checking: undefined };
    return run.live;
  }

  /** False for text of an answer that is known to be complete: it is only repeated. */
  #accepts(turn: TurnView): boolean {
    return this.#recoveries >= turn.answers;
  }

  #begin(attempt: number): void {
    this.#attempt = attempt;
    this.#received = 0;
    this.#seen = 0;
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

/** Discards the unfinished answer, except for the beginning of its text. */
function withdraw(run: RunView, { turn }: TurnView, keeps: number = 0): void {
  const { live } = run;
  if (live?.turn !== turn) return;
  const text = live.parts[0]?.text?.slice(0, keeps) ?? "";
  run.live = { ...live, parts: text === "" ? [] : [{ text }], checking: undefined };
}
