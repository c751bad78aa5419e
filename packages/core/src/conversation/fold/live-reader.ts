import type { RunEvent } from "../../loop/events.ts";
import { editCall } from "../view/call-part.ts";
import type { RunView } from "../view/run-view.ts";
import type { LiveAnswer, TurnView } from "../view/turn-view.ts";
import type { Part } from "../../wire/types/content.ts";
import type { ConversationFold, LivePlace } from "./conversation-fold.ts";

/**
 * Reads of a run's events, in order, what no step has recorded yet: the words of the answer under way, and that a call has begun. What
 * steps record is told by steps.
 */
export class LiveReader {
  readonly #fold: ConversationFold;
  #runId: string | undefined;
  /** How often the answer of this turn was made anew. */
  #recoveries = 0;
  #attempt = 0;
  #said = 0;
  #seen = 0;

  constructor(fold: ConversationFold) {
    this.#fold = fold;
  }

  /** How far the answer under way is known. */
  get place(): LivePlace {
    return [this.#attempt, this.#said, this.#seen];
  }

  /** True while it follows the words of the run that is going. */
  get isFollowing(): boolean {
    const { run } = this.#fold;
    return this.#runId !== undefined && run?.runId === this.#runId && run.isGoing;
  }

  read(event: RunEvent): void {
    if (event.type === "run-start") this.#runId = event.runId;
    const { run } = this.#fold;
    if (run === undefined || !this.isFollowing || event.type === "run-start" || event.type === "run-end") return;
    const turn = run.turn(event.turn);
    if (turn.isHeld && (event.replayed !== true || event.type === "turn-end")) {
      turn.isHeld = false;
      run.touch(turn);
    }
    switch (event.type) {
      case "turn-start":
        this.#recoveries = 0;
        this.#begin(0);
        // What a draft says of the turn is told by the events that follow.
        if (run.live?.turn === turn.turn) run.live = undefined;
        return;
      case "steer":
        if (!this.#accepts(turn)) return;
        // The request that has taken it along is the first attempt.
        this.#attempt = Math.max(1, this.#attempt);
        this.#seen++;
        run.live = { turn: event.turn, said: [], steering: event.contents };
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
        if (run.live?.turn === turn.turn && this.#accepts(turn)) run.live = { ...run.live, said: [] };
        return;
      case "recover":
        this.#recoveries++;
        this.#begin(1);
        if (this.#accepts(turn)) run.live = { turn: event.turn, said: [] };
        return;
      case "tool-pending":
      case "tool-start":
      case "tool-progress":
      case "tool-retry":
      case "tool-end":
        return this.#readCall(run, turn, event);
      default:
    }
  }

  /**
   * A guardrail has withdrawn what the turn's answer has said.
   *
   * @returns True when the answer was whole: another one takes its place.
   */
  withdraw(run: RunView, turn: TurnView): boolean {
    const isWhole = turn.answers > this.#recoveries;
    if (isWhole) this.#recoveries = turn.answers;
    if (run.live?.turn === turn.turn) run.live = { ...run.live, said: [] };
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
    if (part.functionCall === undefined) this.#said++;
    else this.#seen++;
    live.said.push(part);
    run.touch(turn);
  }

  #addText(run: RunView, turn: TurnView, part: Part & { readonly text: string }): void {
    const live = this.#open(run, turn);
    if (live === undefined || part.text === "") return;
    this.#said += part.text.length;
    const change = run.grow(turn, part.thought === true ? "thought" : "text", part.text);
    const last = live.said.at(-1);
    if (last?.text !== undefined && last.thought === part.thought)
      live.said[live.said.length - 1] = { ...last, text: last.text + part.text };
    else live.said.push(part);
    if (change === undefined) run.touch(turn);
    else this.#fold.change(change);
  }

  /** The answer that is under way; undefined when the words are known, or not meant to be shown. */
  #open(run: RunView, turn: TurnView): LiveAnswer | undefined {
    if (run.isOutput(turn) || !this.#accepts(turn)) return undefined;
    this.#attempt = Math.max(1, this.#attempt);
    if (run.live?.turn !== turn.turn) run.live = { turn: turn.turn, said: [] };
    return run.live;
  }

  /** False for words of an answer that is known to be whole: they are only repeated. */
  #accepts(turn: TurnView): boolean {
    return this.#recoveries >= turn.answers;
  }

  #begin(attempt: number): void {
    this.#attempt = attempt;
    this.#said = 0;
    this.#seen = 0;
  }
}
