import { readByCall, readByModel, readSteered } from "../../durable/read-by-step.ts";
import { type CallStepValue, type ModelStepValue, READS_SINCE, type StepPlace } from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import type { ErrorCode } from "../../errors/agent-error.ts";
import { present } from "../../internal/json.ts";
import { resolveCitations } from "../../grounding/citations.ts";
import { type CollectedSources, collectSources, type Source } from "../../grounding/sources.ts";
import { findCitations, hasSources } from "../../loop/build-result.ts";
import type { RunEnd } from "../../loop/events.ts";
import type { ModelResponse } from "../../model/model.ts";
import { type Cost, knownCost } from "../../model/usage.ts";
import { visibleText } from "../../model/response/parts.ts";
import type { EndEntry, RunEntry } from "../../session/log/entries.ts";
import type { EndReason } from "../../session/store/store.ts";
import { PlacedSteps } from "../../session/log/run-record.ts";
import { isPrivate, isUntrusted, type ReadSource } from "../../tool/reads.ts";
import type { PendingCall } from "../../tool/tool.ts";
import { changeMessage, messageChanges } from "../updates.ts";
import type { ConversationChange, Message, MessageError, MessagePart, MessageState } from "../conversation.ts";
import { liveParts, type CallsLeft, type KnownCall } from "./answer-parts.ts";
import { type LiveAnswer, TurnView } from "./turn-view.ts";

type RunViewEnd = Pick<Message, "limit" | "limitScope" | "guardrail" | "error" | "usage" | "cost" | "pricesAsOf"> & {
  readonly stopReason: EndReason;
};

/** A run as one message of the model: what is known about it, and the part that is shown. */
export class RunView {
  readonly runId: string;
  readonly steps: PlacedSteps;
  /** By number, in order. */
  readonly turns: Map<number, TurnView> = new Map();
  /** Undefined while it is in progress, and if it was cut off. */
  end: RunViewEnd | undefined;
  /** False once it is known that no process runs it. */
  hasRunner = true;
  /** Another run follows. */
  isLeft = false;
  /** The next message left its unfinished answer out. */
  isDropped = false;
  #live: LiveAnswer | undefined;
  #sources: readonly Source[] = [];
  #searchEntryPoints: readonly string[] = [];
  #shown: Message;
  /** Its shown parts, as long as events only repeat them. */
  #held: readonly MessagePart[] | undefined;
  /** Something has changed since it was shown: in these turns, or in none. */
  #isChanged = false;
  readonly #changed: Set<TurnView> = new Set();
  /** The agents that took over, by the last turn of the agent before. */
  readonly #handovers: Map<number, string> = new Map();
  #read: HasRead;
  /** An older loop began the run, and recorded nothing about what calls read. */
  readonly #isOld: boolean;

  /** @param message - What is shown already: it stays while events only repeat it, except for an answer that is requested again. */
  constructor(entry: Pick<RunEntry, "runId" | "guarded"> & Partial<Pick<RunEntry, "loop">>, message: Message) {
    this.runId = entry.runId;
    this.#isOld = (entry.loop ?? READS_SINCE) < READS_SINCE;
    this.#read = hasRead(message);
    this.steps = new PlacedSteps({ entry });
    this.#shown = message;
    const { parts } = message;
    const left = parts.findLast((part) => part.type === "interruption");
    const end = parts.findLastIndex((part) => part.type === "turn" && part.turn === left?.turn);
    if (parts.length > 0) this.#held = left === undefined ? parts : parts.slice(0, end);
    this.touch();
  }

  /** The model has read something. */
  addRead(sources: readonly Pick<ReadSource, "reads">[]): void {
    const read = { ...this.#read, ...readsOf(sources) };
    if (read.untrusted === this.#read.untrusted && read.private === this.#read.private) return;
    this.#read = read;
    this.touch();
  }

  /** Shows what is known now, because events no longer only repeat it. */
  release(): void {
    if (this.#held === undefined) return;
    this.#held = undefined;
    this.touch();
  }

  turn(number: number): TurnView {
    const turn = this.turns.get(number) ?? new TurnView(number);
    this.turns.set(number, turn);
    return turn;
  }

  /** Another agent takes over after a turn. */
  handOver(after: number, to: string): void {
    if (this.#handovers.get(after) === to) return;
    this.#handovers.set(after, to);
    const next = this.turns.get(after + 1);
    if (next !== undefined) this.touch(next);
  }

  get isRunning(): boolean {
    return this.end === undefined && this.hasRunner && !this.isLeft;
  }

  get live(): LiveAnswer | undefined {
    return this.#live;
  }

  set live(live: LiveAnswer | undefined) {
    for (const one of [this.#live, live]) if (one !== undefined) this.touch(this.turn(one.turn));
    this.#live = live;
  }

  /** Something in a turn has changed; without a turn, in any. */
  touch(turn?: TurnView): void {
    this.#isChanged = true;
    for (const one of turn === undefined ? this.turns.values() : [turn]) this.#changed.add(one);
  }

  /** The effect of a step may have begun. */
  beginStep(place: StepPlace): void {
    this.steps.begin(place);
    this.#followCalls(place);
  }

  /** A step has ended, or a question was answered. */
  addStep(name: string, place: StepPlace, outcome: Outcome): void {
    this.steps.add(name, place, outcome);
    if (outcome.ok) this.#addReadBy(place, outcome.value);
    const { kind } = place;
    if (outcome.ok && (kind === "model" || kind === "guard" || kind === "compact" || kind === "call")) {
      const turn = this.turn(place.turn);
      const before = turn.grounded.length;
      if (kind === "call") {
        turn.readNested(this.steps, place.callId);
        // Such a step records this type.
        const { handoff } = outcome.value as Partial<CallStepValue>;
        if (handoff !== undefined) this.handOver(place.turn, handoff);
      } else turn.readAnswers(this.steps);
      if (before + turn.grounded.length > 0) this.ground();
      const isAnswer = kind === "model" || (kind === "guard" && place.side === "output");
      // The shown part of a held answer stays until the answer is checked.
      if (isAnswer && this.#live?.turn === place.turn)
        this.live = turn.isHeld ? { ...this.#live, steering: undefined } : undefined;
    }
    this.#followCalls(place);
  }

  /** Adds the questions of calls that wait for an answer. */
  ask(pending: readonly PendingCall[]): void {
    for (const one of pending) {
      const { calls } = this.turn(one.turn);
      const call = calls.get(one.callId);
      if (call !== undefined) calls.set(one.callId, { part: call.part, pending: one, reported: call.reported });
    }
  }

  /** A job has reported progress. */
  addProgress({ turn: number }: StepPlace, callId: string, reported: NonNullable<KnownCall["reported"]>): void {
    const turn = this.turn(number);
    const call = turn.calls.get(callId);
    if (call === undefined) return;
    turn.calls.set(callId, { ...call, reported });
    this.touch(turn);
  }

  /** True for a turn that converts the result to a schema: only a message can make a run continue otherwise after a final answer. */
  isOutput(turn: TurnView): boolean {
    const isSteered = turn.isSteered || (this.#live?.turn === turn.turn && this.#live.steering !== undefined);
    const before = this.turns.get(turn.turn - 1);
    return !isSteered && before?.response !== undefined && before.calls.size === 0;
  }

  /** Finds the sources of the answers. */
  ground(found: Pick<CollectedSources, "sources" | "searchEntryPoints"> = collectSources(this.#listGrounded())): void {
    this.#sources = found.sources;
    this.#searchEntryPoints = found.searchEntryPoints;
    for (const turn of this.turns.values()) {
      if (turn.response === undefined || !hasSources(turn.response)) continue;
      turn.cite(resolveCitations(turn.response, found.sources));
      this.touch(turn);
    }
  }

  /** Cites the sources of the last answer, which may quote earlier ones and so share theirs. @param known - From the run's result. */
  citeLast(known?: Pick<RunEnd, "text" | "citations">): void {
    const last = [...this.turns.values()].findLast(({ response }) => response !== undefined);
    if (last?.response === undefined || this.#sources.length === 0) return;
    const text = visibleText(last.response.content);
    if (known !== undefined && known.text !== text) return;
    last.cite(known?.citations ?? findCitations(this.#listGrounded(), last.response, text, this.#sources));
    this.touch(last);
  }

  /** The unfinished answer has grown by a text. @returns The change, if nothing else has changed and the text is shown already. */
  grow(turn: TurnView, type: "text" | "thought", delta: string): ConversationChange | undefined {
    const part = this.#shown.parts.findLast((one) => one.type === type && one.streaming === true);
    if (this.#isChanged || this.#held !== undefined || part === undefined || !("text" in part)) return undefined;
    const { text, id: partId } = part;
    const change = { type: "text", messageId: this.#shown.id, partId, offset: text.length, delta } as const;
    this.#shown = changeMessage(this.#shown, change);
    this.#changed.add(turn);
    return change;
  }

  /** The changes of the message since it was last shown. */
  show(): readonly ConversationChange[] {
    if (!this.#isChanged) return [];
    const shown = this.#shown;
    const { id, role, runId, at, agent } = shown;
    const state = STATES[this.end?.stopReason ?? "failed"] ?? "failed";
    const ended = state === "waiting" && this.isLeft ? "stopped" : state;
    this.#shown = {
      id,
      role,
      runId,
      at,
      agent,
      ...this.end,
      ...(this.isRunning && this.#live?.checking && { checking: true as const }),
      state: this.end === undefined ? (this.isRunning ? "streaming" : "interrupted") : ended,
      parts: this.#listParts(),
      sources: this.#sources.map(({ chunk: _chunk, ...source }) => source),
      searchEntryPoints: this.#searchEntryPoints,
      ...this.#read,
    };
    this.#isChanged = false;
    this.#changed.clear();
    return messageChanges(shown, this.#shown);
  }

  #listGrounded(): readonly ModelResponse[] {
    return [...this.turns.values()].flatMap(({ grounded }) => grounded);
  }

  #followCalls(place: StepPlace): void {
    if (place.kind === "inner") return;
    const turn = this.turn(place.turn);
    turn.followCalls(this.runId, this.steps, "callId" in place ? place.callId : undefined);
    this.addRead([...turn.given.values()]);
    this.touch(turn);
  }

  /** The place of a step tells the type of its value. */
  #addReadBy({ kind }: StepPlace, value: unknown): void {
    if (kind === "model") {
      const { response, described, steered } = value as Partial<ModelStepValue>;
      this.addRead([
        ...(steered === undefined ? [] : readSteered(steered)),
        ...(response === undefined ? [] : readByModel({ response, described })),
      ]);
    } else if (kind === "call") {
      const call = value as CallStepValue;
      // Anything that it has read will come with the answer from outside.
      if (call.unknown === true) return;
      this.addRead(this.#isOld ? [{ reads: "unknown" }] : readByCall("", call));
    }
  }

  #listParts(): readonly MessagePart[] {
    const live = this.#live;
    const left = this.#left();
    for (const turn of this.#changed)
      turn.shown = turn.parts(left, live?.turn === turn.turn ? live : undefined, this.#handovers.get(turn.turn - 1));
    if (this.#held !== undefined) return this.#held;
    const parts = [...this.turns.values()].flatMap(({ shown }) => shown);
    if (live === undefined || left.isRunning || liveParts(live.turn, live.parts, false).length === 0) return parts;
    const dropped = this.isDropped && { dropped: true as const };
    return [...parts, { type: "interruption", id: "interruption", turn: live.turn, ...dropped }];
  }

  #left(): CallsLeft {
    const { end, isLeft, isRunning } = this;
    const isWaiting = end !== undefined && STATES[end.stopReason] === "waiting";
    if (isRunning || (isWaiting && !isLeft)) return { isRunning };
    if (end === undefined && !isLeft) return { isRunning, open: "cancelled" };
    if (end === undefined || endsEarly(end)) return { isRunning, asked: "cancelled", open: "cancelled" };
    return { isRunning, asked: "withdrawn", open: "not-run" };
  }
}

/** Flags of a message: what the model had read. */
type HasRead = Pick<Message, "untrusted" | "private">;

/** The flags of a message. */
export function hasRead(message: HasRead | undefined): HasRead {
  return { ...(message?.untrusted && { untrusted: true }), ...(message?.private && { private: true }) };
}

/** The flags for what some sources bring. */
export function readsOf(sources: readonly Pick<ReadSource, "reads">[]): HasRead {
  return {
    ...(sources.some(isUntrusted) && { untrusted: true }),
    ...(sources.some(isPrivate) && { private: true }),
  };
}

/** The state of a message by how its run ended; `failed` for the others. */
const STATES: { readonly [Reason in EndReason]?: MessageState } = {
  finished: "complete",
  stopped: "complete",
  limit: "stopped",
  guardrail: "stopped",
  aborted: "stopped",
  "needs-approval": "waiting",
  "needs-outcome": "waiting",
};

/** True for a run that ended in the middle of its work. */
export function endsEarly({ stopReason }: Pick<RunViewEnd, "stopReason">): boolean {
  return ["failed", "aborted", "damaged", "limit"].includes(stopReason);
}

/** How a run ended, as far as anybody may read it. */
export function endFields({
  stopReason,
  reached,
  guardrail,
  error,
  usage,
  ...spent
}: Cost &
  Pick<EndEntry, "stopReason"> &
  Partial<Pick<EndEntry, "usage" | "reached" | "guardrail" | "error">>): RunViewEnd {
  const { cost, pricesAsOf } = knownCost(spent);
  return {
    stopReason,
    ...(reached !== undefined && { limit: reached.name, limitScope: reached.scope }),
    ...(guardrail && {
      guardrail: present({ name: guardrail.name, side: guardrail.side, message: guardrail.message }),
    }),
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost, pricesAsOf }),
    ...(error !== undefined && { error: safeError(error, stopReason === "aborted") }),
  };
}

const ERRORS: { readonly [Code in ErrorCode]?: string } = {
  api_status: "The model's service refused the request or could not answer it.",
  api_network: "The model's service could not be reached.",
  api_timeout: "The model's service took too long to answer.",
  api_shape: "The model's service sent an answer that could not be read.",
  traffic_limit: "Too many requests are waiting.",
  quota_reached: "The budget is used up for now.",
  request_limit: "The answer needed too many requests.",
  stream_incomplete: "The answer broke off.",
  response_blocked: "The model's service refused the message.",
  run_aborted: "The run was stopped.",
  run_stopped: "The run was stopped.",
  run_released: "The run continues in another process.",
  session_lease_lost: "The run was taken over by another process.",
  session_store: "The conversation could not be stored.",
  session_limit: "The conversation has reached its limit.",
};

/** The same for some statuses of refusals by the service, which say more. */
const REFUSALS: { readonly [status: number]: string } = {
  429: "A rate limit or quota of the model's service has been reached.",
  503: "The model's service is overloaded or not available.",
};

const NO_MORE_TODAY = "The daily quota for the model is used up. It starts over at midnight Pacific time.";

function safeError(error: NonNullable<EndEntry["error"]>, isAborted: boolean): MessageError {
  const { name, code, status = 0, resetsAt } = error;
  const refusal = code !== "api_status" ? undefined : resetsAt === undefined ? REFUSALS[status] : NO_MORE_TODAY;
  // A code that is not in the table is not ours, or means nothing to a person.
  const text = Object.hasOwn(ERRORS, code ?? "") ? ERRORS[code as ErrorCode] : undefined;
  const message = refusal ?? text ?? (isAborted ? "The run was stopped." : "Something went wrong.");
  return { name, ...(code !== undefined && { code }), message };
}
