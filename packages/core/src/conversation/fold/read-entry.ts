import { knownCost } from "../../model/prices.ts";
import {
  type CallRoute,
  type CallStepValue,
  type InputCheckValue,
  type ModelStepValue,
  type OutputCheckValue,
  type StepPlace,
} from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import { needsCheck, readStop } from "../../loop/guardrails.ts";
import type { ModelResponse } from "../../model/model.ts";
import type { EndEntry, SessionEntry } from "../../session/log/entries.ts";
import { standOf } from "../../session/log/follow-call.ts";
import { PlacedSteps } from "../../session/log/placed-steps.ts";
import type { TurnRecord } from "../../session/log/turn-record.ts";
import { foldInfo, type InfoFold, NO_INFO } from "../../session/store/session-info.ts";
import { AnswerParts, saidParts } from "../view/answer-parts.ts";
import type { ConversationWriter } from "../conversation-writer.ts";
import { historyMessages } from "./history-messages.ts";
import { endsEarly, type RunView } from "../view/run-view.ts";
import { SaidToSession } from "./said-to-session.ts";
import { safeError } from "../view/safe-texts.ts";

/** Reads the entries of a log, in order, into a conversation. */
export class EntryReader {
  readonly #writer: ConversationWriter;
  #info: InfoFold = NO_INFO;
  /** What was said to the session, by place in the log. */
  readonly #said: SaidToSession = new SaidToSession();
  #histories = 0;
  #place = 0;
  /** Turns that put the result into a schema: their answers are not shown. */
  readonly #outputs: Set<number> = new Set();
  /** An answer that its guardrails have not checked yet. */
  #unchecked: ModelResponse | undefined;
  /** Of the last run. */
  #steps: PlacedSteps | undefined;

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
        this.#outputs.clear();
        this.#steps = new PlacedSteps({ entry });
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
  hasEnded(step: StepPlace): boolean {
    return this.#steps?.find(step) !== undefined;
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
        this.#steps?.begin(entry.place);
        return this.#followCalls(run, entry.place);
      case "step":
        this.#steps?.add(entry.step, entry.place, entry.outcome);
        return this.#endStep(run, entry.place, entry.outcome);
      case "answer":
        this.#steps?.add(entry.step, entry.place, { ok: true, value: entry.value });
        return this.#followCalls(run, entry.place);
      case "turn":
        return this.#close(run, entry, false);
      case "resume":
        run.end = undefined;
        run.hasRunner = true;
        for (const turn of run.turns()) turn.live = undefined;
        run.touch();
        return;
      case "end":
        return this.#end(run, entry);
      default:
    }
  }

  #endStep(run: RunView, step: StepPlace, outcome: Outcome): void {
    this.#followCalls(run, step);
    if (!outcome.ok || step.kind === "inner") return;
    const turn = run.turn(step.turn);
    run.touch(turn);
    switch (step.kind) {
      case "model": {
        turn.live = undefined;
        // Each kind of step records its own value.
        const { response, steered, guarded } = outcome.value as unknown as Partial<ModelStepValue>;
        if (steered !== undefined) this.#said.hear(steered.upTo);
        this.#unchecked = undefined;
        if (response === undefined) return this.showQueue();
        if (step.phase === "output") {
          this.#outputs.add(step.turn);
          this.#writer.outputs.push(response);
        } else {
          turn.isUnchecked = guarded !== undefined && needsCheck(response.content);
          if (turn.isUnchecked) this.#unchecked = response;
          // Nobody may see it before its guardrails have.
          if (turn.isUnchecked && guarded === "held") turn.withhold(steered?.contents);
          else turn.addAnswer(response, steered?.contents);
          this.showQueue();
        }
        run.ground(this.#writer.outputs);
        return;
      }
      case "guard": {
        if (step.wait !== undefined) return;
        if (step.side === "input") {
          const { response: given } = outcome.value as unknown as InputCheckValue;
          return given === undefined ? undefined : turn.addAnswer(given, undefined);
        }
        if (this.#outputs.has(step.turn)) return;
        turn.isUnchecked = false;
        const { actions, response = this.#unchecked } = outcome.value as unknown as OutputCheckValue;
        if (actions.length > 0) turn.withdraw();
        // One that was shown before and passes stays.
        const isNew = response !== undefined && turn.response !== response;
        if (isNew && readStop("output", actions) === undefined) turn.addAnswer(response, undefined);
        this.#unchecked = undefined;
        run.ground(this.#writer.outputs);
        return;
      }
      case "compact":
        turn.compactions++;
        return;
      case "call": {
        const value = outcome.value as unknown as CallStepValue;
        const nested = value.nested.flatMap(({ responses }) => responses);
        if (nested.length === 0) return;
        turn.nested.set(step.callId, nested);
        run.ground(this.#writer.outputs);
        return;
      }
      default:
    }
  }

  /** Shows how calls stand after something was recorded about them: about one of them, or about the turn. */
  #followCalls(run: RunView, place: StepPlace): void {
    const { turn: number, kind } = place;
    const isOfAll = kind === "route" || (kind === "guard" && place.wait !== undefined);
    if (this.#steps === undefined || kind === "inner" || !(isOfAll || "callId" in place)) return;
    const turn = run.turn(number);
    const routes = this.#steps.find<readonly CallRoute[]>({ kind: "route", turn: number })?.value;
    for (const [index, [callId, call]] of [...turn.calls].entries())
      if (isOfAll || ("callId" in place && place.callId === callId))
        call.stand(run.runId, number, standOf(this.#steps, { turn: number, callId, call: call.made }, routes?.[index]));
    run.touch(turn);
  }

  #end(run: RunView, entry: EndEntry): void {
    const { stopReason, reached, guardrail, usage, error, interrupted, pending = [] } = entry;
    run.end = {
      stopReason,
      ...(reached !== undefined && { limit: reached.name, limitScope: reached.scope }),
      ...(guardrail !== undefined && { guardrail }),
      usage,
      ...knownCost(entry),
      ...(error !== undefined && { error: safeError(error, stopReason === "aborted") }),
    };
    for (const turn of run.turns()) turn.live = undefined;
    if (interrupted !== undefined) {
      const step = interrupted.place;
      if (step.kind === "model")
        run.turn(step.turn).live = { said: new AnswerParts(step.turn, "live", interrupted.parts) };
    }
    for (const one of pending) run.turn(one.turn).calls.get(one.callId)?.ask(one);
    const isEarly = endsEarly(entry);
    for (const record of entry.open) this.#close(run, record, isEarly);
    if (!isEarly) run.citeLast();
    this.showQueue();
    run.touch();
  }

  /**
   * What a turn added to the history is known.
   *
   * @param isEarly - The run ended in the middle of it: an answer that is not used is void.
   */
  #close(run: RunView, { turn: number, contents, steps, calls }: TurnRecord, isEarly: boolean): void {
    const turn = run.turn(number);
    const answer = contents.findLast((ref) => "model" in ref)?.model;
    const isVoid = answer === undefined || steps.some(({ step, discarded }) => step === answer && discarded);
    if (isEarly && isVoid) turn.dropAnswer();
    // What no step left is recorded as the model was told it only here.
    for (const call of calls) {
      const view = turn.calls.get(call.callId);
      if (call.args !== undefined) view?.edit(call.args);
      if ("value" in call) view?.endWith(call.value);
    }
    run.touch(turn);
  }
}
