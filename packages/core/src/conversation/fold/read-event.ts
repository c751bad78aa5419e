import { knownCost } from "../../model/prices.ts";
import type { RunEnd, RunEvent } from "../../loop/events.ts";
import { AnswerParts } from "../view/answer-parts.ts";
import type { ConversationWriter } from "../conversation-writer.ts";
import type { ConversationChange } from "../conversation.ts";
import type { RunView, RunViewEnd } from "../view/run-view.ts";
import type { TurnView } from "../view/turn-view.ts";

/** Where a reader of events gets what it needs besides. */
export interface EventSource {
  /**
   * `log`: the entries of the log are read as well; events only tell what it does not have yet: words of the answer under way, and that a
   * call has begun. `events`: they are all there is.
   */
  readonly truth: "log" | "events";
  /** The request under way has taken so many contents along that were said to the session. */
  onHeard?(contents: number): void;
}

/** Reads the events of a run, in order, into a conversation. */
export class EventReader {
  readonly #writer: ConversationWriter;
  readonly #source: EventSource;
  #runId: string | undefined;
  #turn = 0;
  /** How often the answer of this turn was made anew. */
  #recoveries = 0;
  /** The turn puts the result into a schema. Undefined until something in it says so. */
  #isOutput: boolean | undefined;
  /** How far the answer under way is known. */
  readonly place: { attempt: number; said: number; seen: number } = { attempt: 0, said: 0, seen: 0 };

  constructor(writer: ConversationWriter, source: EventSource) {
    this.#writer = writer;
    this.#source = source;
  }

  /** True while it follows the words of the run that is going. */
  get isFollowing(): boolean {
    return this.#runId !== undefined && this.#writer.run?.runId === this.#runId && this.#writer.run.isGoing;
  }

  read(event: RunEvent): void {
    if (event.type === "run-start") {
      this.#runId = event.runId;
      this.#turn = 0;
      return;
    }
    const { run } = this.#writer;
    if (run === undefined || !this.isFollowing) return;
    if (event.type === "run-end") {
      if (this.#source.truth === "events") endRun(run, event.result);
      return;
    }
    if (event.type === "turn-start") {
      this.#turn = event.turn;
      this.#recoveries = 0;
      this.#isOutput = undefined;
      this.#begin(0);
      this.#beginTurn(run, run.turn(event.turn));
      return;
    }
    const turn = run.turn(event.turn);
    if (event.replayed !== true || event.type === "turn-end") {
      if (turn.isHeld) run.touch(turn);
      turn.isHeld = false;
    }
    this.#readTurn(run, turn, event);
  }

  /** What a draft says of the turn is told by the events that follow. */
  #beginTurn(run: RunView, turn: TurnView): void {
    if (turn.live === undefined) return;
    turn.live = undefined;
    run.touch(turn);
  }

  #readTurn(run: RunView, turn: TurnView, event: Extract<RunEvent, { turn: number }>): void {
    switch (event.type) {
      case "compact":
        if (this.#source.truth === "events") {
          turn.compactions++;
          run.touch(turn);
        }
        return;
      case "steer":
        this.#isOutput = false;
        if (!this.#accepts(turn)) return;
        // The request that has taken it along is the first attempt.
        this.place.attempt = Math.max(1, this.place.attempt);
        this.place.seen++;
        turn.live = { said: new AnswerParts(turn.turn, "live"), steering: event.contents };
        this.#source.onHeard?.(event.contents.length);
        return run.touch(turn);
      case "text-delta":
        return this.#addText(run, turn, "text", event.delta);
      case "thought-delta":
        return this.#addText(run, turn, "thought", event.delta);
      case "call-args-delta":
      case "part": {
        const live = this.#live(run, turn);
        if (live === undefined) return;
        this.place[event.type === "part" && event.part.functionCall === undefined ? "said" : "seen"]++;
        if (event.type === "part") live.said.add(event.part);
        else live.said.addCallPiece(event.name);
        return run.touch(turn);
      }
      case "discard":
        this.#begin(Math.max(1, this.place.attempt) + 1);
        if (turn.live === undefined || !this.#accepts(turn)) return;
        turn.live = { ...turn.live, said: new AnswerParts(turn.turn, "live") };
        return run.touch(turn);
      case "recover":
        this.#recoveries++;
        this.#begin(1);
        if (!this.#accepts(turn)) return;
        turn.live = { said: new AnswerParts(turn.turn, "live") };
        return run.touch(turn);
      case "guardrail":
        if (event.side === "input" || this.#source.truth === "log") return;
        if (turn.answers > this.#recoveries) {
          this.#recoveries = turn.answers;
          turn.withdraw();
          run.ground(this.#writer.outputs);
        }
        if (turn.live !== undefined) turn.live = { ...turn.live, said: new AnswerParts(turn.turn, "live") };
        return run.touch(turn);
      case "response":
        if (this.#source.truth === "log") return;
        if (this.#checkOutput(run)) this.#writer.outputs.push(event.response);
        else turn.addAnswer(event.response, turn.live?.steering);
        run.ground(this.#writer.outputs);
        return run.touch(turn);
      case "tool-pending":
      case "tool-start":
      case "tool-progress":
      case "tool-retry":
      case "tool-end":
        return this.#readCall(run, turn, event);
      default:
    }
  }

  #readCall(run: RunView, turn: TurnView, event: Extract<RunEvent, { callId: string; turn: number }>): void {
    const call = turn.calls.get(event.callId);
    if (call === undefined || call.isOver) return;
    this.place.seen++;
    if ("edited" in event && event.edited === true) call.edit(event.call.args ?? {});
    if (event.type === "tool-start") call.begin();
    else if (event.type === "tool-progress") call.report(event.progress);
    else if (event.type === "tool-retry") return;
    // The log has the rest, and has it in the moment in which it is sure.
    else if (this.#source.truth === "log") return;
    else if (event.type === "tool-end") call.end(event.outcome);
    else call.ask(event);
    run.touch(turn);
  }

  #addText(run: RunView, turn: TurnView, type: "text" | "thought", delta: string): void {
    const live = this.#live(run, turn);
    if (live === undefined) return;
    this.place.said += delta.length;
    const grown = live.said.addText(type, delta);
    const isShown = grown !== undefined && !turn.isHeld && turn.shown.some(({ id }) => id === grown.id);
    if (!isShown) return run.touch(turn);
    const change: ConversationChange = {
      type: "text",
      messageId: run.messageId,
      partId: grown.id,
      offset: grown.offset,
      delta,
    };
    run.grow(turn, grown.id, delta);
    this.#writer.change(change);
  }

  /** The answer that is under way; undefined when the words are known, or not meant to be shown. */
  #live(run: RunView, turn: TurnView): NonNullable<TurnView["live"]> | undefined {
    if (this.#checkOutput(run) || !this.#accepts(turn)) return undefined;
    if (this.place.attempt === 0) this.place.attempt = 1;
    return (turn.live ??= { said: new AnswerParts(turn.turn, "live") });
  }

  #begin(attempt: number): void {
    Object.assign(this.place, { attempt, said: 0, seen: 0 });
  }

  /** False for words of an answer that is known to be whole: they are only repeated. */
  #accepts(turn: TurnView): boolean {
    return this.#recoveries >= turn.answers;
  }

  /** After a final answer only a message makes the run go on; otherwise its result is put into a schema. */
  #checkOutput(run: RunView): boolean {
    this.#isOutput ??= run.turns().some(({ turn, isFinal }) => turn === this.#turn - 1 && isFinal);
    return this.#isOutput;
  }
}

function endRun(run: RunView, result: RunEnd): void {
  const { stopReason, usage, sources, searchEntryPoints, citations, text } = result;
  const end: RunViewEnd = {
    stopReason,
    ...(stopReason === "limit" && { limit: result.limit.name, limitScope: result.limit.scope }),
    ...(stopReason === "guardrail" && { guardrail: result.guardrail }),
    usage,
    ...knownCost(result),
  };
  endView(run, end);
  if (sources.length + searchEntryPoints.length > 0)
    run.setGrounding({ sources, searchSuggestions: searchEntryPoints }, { text, citations });
  if ("pending" in result) for (const one of result.pending) run.turn(one.turn).calls.get(one.callId)?.ask(one);
}

/** Ends a run of which only the events are known. */
export function endView(run: RunView, end: RunViewEnd): void {
  run.end = end;
  for (const turn of run.turns()) {
    turn.isHeld = false;
    if (turn.live === undefined) continue;
    // An answer that was to be made anew is void even when the new one never began.
    if (turn.answers > 0) turn.dropAnswer();
    turn.live = turn.interrupted().length === 0 ? undefined : { said: turn.live.said };
  }
  run.touch();
}
