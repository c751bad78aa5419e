import {
  type CallRoute,
  type CallStepValue,
  buildCallId,
  type ModelStepValue,
  type OutputCheckValue,
  parseStepName,
  type StepName,
} from "../../durable/run-log.ts";
import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import { needsCheck, readStop } from "../../loop/guardrails.ts";
import type { ModelResponse } from "../../model/model.ts";
import type { EndEntry, SessionEntry } from "../../session/log/entries.ts";
import { foldInfo, type InfoFold, NO_INFO } from "../../session/store/session-info.ts";
import { AnswerParts } from "../view/answer-parts.ts";
import { saidParts } from "../view/answer-parts.ts";
import type { ConversationWriter } from "../conversation-writer.ts";
import { historyMessages } from "./history-messages.ts";
import type { RunView } from "../view/run-view.ts";
import { SaidToSession } from "./said-to-session.ts";
import { safeError } from "../view/safe-texts.ts";
import type { TurnView } from "../view/turn-view.ts";

/** Reads the entries of a log, in order, into a conversation. */
export class EntryReader {
  readonly #writer: ConversationWriter;
  #info: InfoFold = NO_INFO;
  /** What was said to the session, by place in the log. */
  readonly #said: SaidToSession = new SaidToSession();
  #histories = 0;
  #place = 0;
  /** Names of the model steps whose answers are shown, by turn. */
  readonly #answers: Map<number, string> = new Map();
  /** An answer that its guardrails have not checked yet. */
  #unchecked: ModelResponse | undefined;
  /** Steps of the last run that have an outcome. */
  readonly #steps: Set<string> = new Set();

  constructor(writer: ConversationWriter) {
    this.#writer = writer;
  }

  /** @returns True for an entry that only the run's owner writes. */
  read(entry: SessionEntry): boolean {
    const place = this.#place++;
    this.#readTitle(entry);
    switch (entry.type) {
      case "history": {
        const messages = historyMessages(
          entry.parts.flatMap(({ contents }) => [...contents]),
          this.#histories,
        );
        this.#histories += messages.length;
        for (const message of messages) this.#writer.change({ type: "message", message });
        return true;
      }
      case "run":
        this.#answers.clear();
        this.#steps.clear();
        this.#said.beginRun(entry.runId, place);
        this.#writer.leaveRun(entry.dropInterrupted === true);
        this.#writer.beginRun(entry.runId, entry.input, entry.at);
        return true;
      case "steer": {
        const { at, contents, id = `steer:${place}` } = entry;
        this.#said.add({ id, at, parts: saidParts(contents), place, contents: contents.length });
        this.showQueue();
        return false;
      }
      case "rewind":
        this.#unchecked = undefined;
        this.#said.takeBack(entry.before);
        this.#writer.takeBack(entry.before);
        this.showQueue();
        return true;
      case "info":
        return false;
      default: {
        const { run } = this.#writer;
        if (run?.runId === entry.runId) this.#readRun(run, entry);
        return entry.type !== "answer";
      }
    }
  }

  /** True when a step of the last run has ended. */
  hasEnded(step: string): boolean {
    return this.#steps.has(step);
  }

  /**
   * Shows what is not heard yet.
   *
   * @param heard - Contents that the request under way has taken along.
   */
  showQueue(heard: number = 0): void {
    this.#writer.queue(this.#said.queued(heard));
  }

  #readTitle(entry: SessionEntry): void {
    const before = this.#info.info?.title;
    this.#info = foldInfo(this.#info, [entry]);
    const title = this.#info.info?.title;
    if (title !== before) this.#writer.change({ type: "title", ...(title !== undefined && { title }) });
  }

  #readRun(run: RunView, entry: Extract<SessionEntry, { runId: string }>): void {
    switch (entry.type) {
      case "begin":
        return this.#begin(run, parseStepName(entry.step));
      case "step":
        this.#steps.add(entry.step);
        return this.#endStep(run, entry.step, entry.outcome);
      case "answer":
        this.#steps.add(entry.step);
        return this.#answer(run, parseStepName(entry.step), entry.value);
      case "resume":
        run.end = undefined;
        run.isLed = true;
        for (const turn of run.turns()) turn.live = undefined;
        run.touch();
        return;
      case "end":
        return this.#end(run, entry);
      default:
    }
  }

  /** True for a turn that puts the result into a schema: its answer is not shown. */
  #isOutputOf({ turn }: TurnView): boolean {
    return !this.#answers.has(turn);
  }

  #begin(run: RunView, step: StepName): void {
    if (step.kind !== "call") return;
    const turn = run.turn(step.turn);
    turn.calls.get(step.callId)?.begin();
    run.touch(turn);
  }

  #endStep(run: RunView, name: string, outcome: Outcome): void {
    const step = parseStepName(name);
    if (step.kind === "other") return;
    const turn = run.turn(step.turn);
    run.touch(turn);
    if (step.kind === "wait") return this.#endWait(turn, step, outcome);
    if (!outcome.ok) {
      // Only a wait with a time limit records a failure under the name of its call.
      if (step.kind === "call" && isWaitTimedOut(outcome))
        turn.calls.get(step.callId)?.end({ ok: false, kind: "timeout", message: "" });
      return;
    }
    switch (step.kind) {
      case "model": {
        turn.live = undefined;
        // Each kind of step records its own value.
        const { response, steered, guarded } = outcome.value as unknown as Partial<ModelStepValue>;
        if (steered !== undefined) this.#said.hear(steered.upTo);
        this.#unchecked = undefined;
        if (response === undefined) return this.showQueue();
        if (step.phase === "output") {
          this.#writer.outputs.push(response);
        } else {
          this.#answers.set(step.turn, name);
          // Nobody may see it before its guardrails have.
          if (guarded === "held" && needsCheck(response.content)) {
            this.#unchecked = response;
            turn.withhold(steered?.contents);
          } else turn.addAnswer(response, steered?.contents);
          this.showQueue();
        }
        run.ground(this.#writer.outputs);
        return;
      }
      case "guard": {
        if (step.side === "input" || this.#isOutputOf(turn)) return;
        const { actions, response = this.#unchecked } = outcome.value as unknown as OutputCheckValue;
        if (actions.length > 0) {
          turn.withdraw();
          this.#answers.set(step.turn, name);
        }
        // One that was shown before and passes stays.
        if (readStop("output", actions) === undefined && response !== undefined) turn.addAnswer(response, undefined);
        this.#unchecked = undefined;
        run.ground(this.#writer.outputs);
        return;
      }
      case "route":
        for (const [index, route] of (outcome.value as unknown as readonly CallRoute[]).entries())
          turn.calls.get(buildCallId(step.turn, index))?.route(route);
        return;
      case "compact":
        turn.compactions++;
        return;
      case "call": {
        const value = outcome.value as unknown as CallStepValue;
        turn.calls.get(step.callId)?.endStep(value);
        const nested = value.nested.flatMap(({ responses }) => responses);
        if (nested.length === 0) return;
        turn.nested.set(step.callId, nested);
        run.ground(this.#writer.outputs);
        return;
      }
      default:
    }
  }

  /** A wait whose time is up. */
  #endWait(turn: TurnView, step: Extract<StepName, { kind: "wait" }>, outcome: Outcome): void {
    if (!outcome.ok) turn.calls.get(step.callId)?.end({ ok: false, kind: "timeout", message: "" });
  }

  #answer(run: RunView, step: StepName, value: unknown): void {
    if (step.kind !== "call" && step.kind !== "wait") return;
    const turn = run.turn(step.turn);
    turn.calls.get(step.callId)?.answer(step.kind === "wait" ? step.question : "outcome", value);
    run.touch(turn);
  }

  #end(run: RunView, entry: EndEntry): void {
    const { stopReason, limit, usage, cost, error, interrupted, pending = [] } = entry;
    run.end = {
      stopReason,
      ...(limit !== undefined && { limit }),
      usage,
      ...(cost !== undefined && { cost }),
      ...(error !== undefined && { error: safeError(error, stopReason === "aborted") }),
    };
    for (const turn of run.turns()) turn.live = undefined;
    if (interrupted !== undefined) {
      const step = parseStepName(interrupted.step);
      if (step.kind === "model")
        run.turn(step.turn).live = { said: new AnswerParts(step.turn, "live", interrupted.parts) };
    }
    for (const { turn, callId, question } of pending) run.turn(turn).calls.get(callId)?.ask(question);
    const isEarly = stopReason === "failed" || stopReason === "aborted" || stopReason === "limit";
    if (isEarly) this.#dropVoid(run, entry);
    else run.citeLast();
    this.#tellOutputs(run, entry);
    this.showQueue();
    run.touch();
  }

  /** An answer that is not part of the history, or was followed by a request to make it anew, was void when the run ended. */
  #dropVoid(run: RunView, { added }: EndEntry): void {
    const turn = run.turns().findLast(({ response }) => response !== undefined);
    const name = turn && this.#answers.get(turn.turn);
    if (turn === undefined || name === undefined) return;
    const at = added.findIndex((ref) => "model" in ref && ref.model === name);
    const next = added[at + 1];
    const isFollowed = turn.calls.size === 0 && next !== undefined && "role" in next;
    if (at !== -1 && !isFollowed) return;
    turn.dropAnswer();
  }

  /** What was answered from outside is recorded as the model was told it only here. */
  #tellOutputs(run: RunView, { added }: EndEntry): void {
    const turns = run.turns();
    for (const [index, ref] of added.entries()) {
      const before = added[index - 1];
      if (before === undefined || !("model" in before) || "model" in ref || "after" in ref) continue;
      const turn = turns.find((one) => this.#answers.get(one.turn) === before.model);
      for (const [position, part] of ("calls" in ref ? ref.calls : ref.parts).entries()) {
        if (turn === undefined || typeof part === "string") continue;
        const told = part.functionResponse?.response;
        if (told !== undefined && "output" in told)
          turn.calls.get(buildCallId(turn.turn, position))?.tell(told["output"]);
      }
    }
  }
}
