import { type ModelStepValue, stepName, type StepPlace } from "../../durable/run-log.ts";
import { describeError } from "../../durable/steps.ts";
import type { Json } from "../../internal/json.ts";
import type { RunEvent } from "../../loop/events.ts";
import { runSoFar } from "../../loop/result.ts";
import type { RunEntry } from "../../session/log/entries.ts";
import { answerId } from "../../session/log/session-view.ts";
import type { Content } from "../../wire/types/content.ts";
import { emptyConversation, messageChanges, QUESTION_OF } from "../updates.ts";
import type { Conversation, ConversationUpdate, Message } from "../conversation.ts";
import { failCall } from "../view/answer-parts.ts";
import { endFields, RunView } from "../view/run-view.ts";
import { ConversationFold } from "./conversation-fold.ts";

/** Options of {@link conversationUpdates}. */
export interface ConversationUpdatesOptions {
  /** The conversation so far. @defaultValue an empty conversation */
  readonly conversation?: Conversation | undefined;
  /** The run's input, which its events don't have: a text, or whole contents. Not needed to resume a run that the conversation has. */
  readonly input?: string | readonly Content[] | undefined;
  /** The signal of the run: tells a run that was aborted from one that failed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The events of a run as updates of a conversation; the first one is a snapshot. For a run without a session, and for a front end that
 * has nothing but a `RunStream`; where there is a session, `watchConversation(session)` knows more.
 *
 * Reading it runs the run; leaving it early ends the run.
 *
 * @throws The run's error, after the update that shows it.
 */
export async function* conversationUpdates(
  events: AsyncIterable<RunEvent>,
  { conversation = emptyConversation(""), input = [], signal }: ConversationUpdatesOptions = {},
): AsyncGenerator<ConversationUpdate, void, void> {
  const contents: readonly Content[] = typeof input === "string" ? [{ role: "user", parts: [{ text: input }] }] : input;
  const fold = new EventFold(conversation, contents);
  yield { type: "snapshot", conversation };
  try {
    for await (const event of events) {
      const update = fold.add(event);
      if (update !== undefined) yield update;
    }
  } catch (error) {
    const wasStopped = error instanceof Error && STOPPED.has(error.name);
    const update = fold.fail(error, signal?.aborted === true || wasStopped);
    if (update !== undefined) yield update;
    throw error;
  }
}

/** Names of the errors of runs that were stopped. */
const STOPPED: ReadonlySet<string> = new Set(["AbortError", "RunStoppedError", "RunAbandonedError"]);

/** A conversation that grows by the events of one run, without its log: events take the place of recorded steps. */
class EventFold extends ConversationFold {
  readonly #input: readonly Content[];
  /** The record of the last answer. Whether guardrails check it is known once one withdraws it. */
  #answer: { guarded?: ModelStepValue["guarded"] | undefined } = {};

  /** @param input - The run's input; needed for a run that the conversation does not have. */
  constructor(start: Conversation, input: readonly Content[]) {
    super(start);
    this.#input = input;
  }

  add(event: RunEvent): ConversationUpdate | undefined {
    if (event.type === "run-start") this.#open(event);
    this.readLive(event);
    if (this.run?.isRunning === true) this.#readFact(this.run, event);
    return this.liveUpdate();
  }

  fail(error: unknown, isAborted: boolean): ConversationUpdate | undefined {
    const { run } = this;
    if (run === undefined || run.end !== undefined) return undefined;
    const stopReason = isAborted ? "aborted" : "failed";
    leave(run);
    run.end = endFields({ ...runSoFar(error), stopReason, error: describeError(error) });
    return this.liveUpdate();
  }

  #open({ runId, agent }: Pick<RunEntry, "runId" | "agent">): void {
    const known = this.conversation.messages.find(({ id }) => id === answerId(runId));
    if (known !== undefined) {
      this.run = new RunView({ runId }, known);
      return;
    }
    const last = this.conversation.messages.at(-1);
    if (last?.state === "waiting") this.change(...messageChanges(last, leftMessage(last)));
    this.beginRun({ runId, agent, input: this.#input });
  }

  #readFact(run: RunView, event: RunEvent): void {
    switch (event.type) {
      case "compact": {
        const { turn, replaced, summary } = event;
        // Only a filter leaves no summary.
        return addStep(run, { kind: "compact", turn, ...(summary === "" && { handoff: true }) }, { replaced });
      }
      case "guardrail": {
        const { type: _, turn: number, side, ...action } = event;
        const turn = run.turn(number);
        if (side === "input" || !this.withdraw(run, turn)) return;
        this.#answer.guarded = "shown";
        const place = { kind: "guard", side, turn: number, attempt: turn.answers - 1 } as const;
        return addStep(run, place, { actions: [{ ...action, action: "stop" }] });
      }
      case "response": {
        const { turn: number, response } = event;
        const turn = run.turn(number);
        const contents = run.live?.turn === number ? run.live.steering : undefined;
        const phase = run.isOutput(turn) ? "output" : "work";
        const value: Partial<ModelStepValue> = { response, ...(contents && { steered: { contents, upTo: 0 } }) };
        this.#answer = value;
        return addStep(run, { kind: "model", phase, turn: number, attempt: turn.answers }, value);
      }
      case "tool-pending":
      case "tool-end": {
        const turn = run.turn(event.turn);
        const call = turn.calls.get(event.callId);
        if (call === undefined || call.outcome !== undefined) return;
        const known = event.type === "tool-end" ? { outcome: event.outcome } : { pending: event };
        turn.calls.set(event.callId, { part: call.part, ...known });
        if (event.type === "tool-end" && event.reads !== undefined) run.addRead([{ reads: event.reads }]);
        return run.touch(turn);
      }
      case "run-end": {
        const { result } = event;
        leave(run);
        run.release();
        run.end = endFields({ ...result, reached: result.stopReason === "limit" ? result.limit : undefined });
        run.ground(result);
        run.citeLast(result);
        if ("pending" in result) run.ask(result.pending);
        return;
      }
      default:
    }
  }
}

/** Adds a step, as events describe it, to the view of its run. */
function addStep(run: RunView, place: StepPlace, value: object): void {
  run.addStep(stepName(place), place, { ok: true, value: value as Json });
}

/** An answer that had to be generated again is void even if the new one never began. */
function leave(run: RunView): void {
  const { live } = run;
  const turn = live && run.turn(live.turn);
  if (turn !== undefined && turn.answers > 0) turn.dropAnswer();
  run.live = live && { turn: live.turn, parts: live.parts };
  run.touch();
}

/** The message of a waiting run that the next one closes: its questions can no longer be answered. */
function leftMessage(message: Message): Message {
  const parts = message.parts.map((part) => {
    if (part.type !== "tool-call" || QUESTION_OF[part.state] === undefined) return part;
    const mayBeDone = part.state === "pending-outcome" || part.state === "pending-job";
    const kind = mayBeDone ? "unknown-outcome" : "withdrawn";
    return { ...part, asks: undefined, job: undefined, progress: undefined, ...failCall(kind) };
  });
  return { ...message, state: "stopped", parts };
}
