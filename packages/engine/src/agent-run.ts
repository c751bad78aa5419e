import type { Approval, Content, ExternalOutcome, Json, PendingCall } from "@pollux/core";
import type { Op } from "@pollux/core/durable";
import { buildContents, type EngineInput, MAX_VALUE_BYTES, type RunReport, waitName } from "@pollux/core/durable";
import type { EngineEvent } from "./batch-events.ts";
import { byteLength } from "./build-report.ts";

/**
 * A client's handle on one run of an agent that a worker serves. It holds only names: create as many as you like, anywhere.
 *
 * Abstract members differ per engine; the rest is shared.
 */
export abstract class AgentRun {
  readonly agent: string;
  readonly runId: string;

  constructor(agent: string, runId: string) {
    this.agent = agent;
    this.runId = runId;
  }

  /**
   * Waits for the run to end and returns its report. A failed run has a report too.
   *
   * @throws {EngineError} `server-unreachable` or `run-unknown`.
   */
  abstract result(options?: WaitOptions): Promise<RunReport>;

  /** The current state, or how the run ended; `undefined` before it has started and once it is no longer stored. */
  abstract state(): Promise<EngineRunState | undefined>;

  /** {@link AgentRun.requestCancel}, and then waits until the run has ended: with no worker running, until one is. */
  abstract cancel(options?: WaitOptions): Promise<RunReport>;

  /**
   * Has the run and those inside it cancelled, and resolves once the engine has stored that, also while no worker is running. Does
   * nothing to a run that has ended.
   *
   * @throws {EngineError} `server-unreachable` or `run-unknown`.
   */
  abstract requestCancel(): Promise<Receipt>;

  /**
   * Live events of the run, from any worker. Ends with the run.
   *
   * A gap in `seq` means that events were dropped. A higher `attempt` of a step, or a lower `seq`, means that the step was
   * restarted: discard what it reported before. The report is complete even if events were missed.
   */
  abstract events(options?: WaitOptions): AsyncIterable<EngineEvent>;

  /** Questions that this run and the runs inside it wait for. */
  async pending(): Promise<readonly PendingAnswer[]> {
    return await this.#pending([]);
  }

  /**
   * Approves or denies a call. An answer that precedes its question is stored.
   *
   * @param call - A call of this run by its id, such as `call:3.0`, or one of {@link AgentRun.pending}. Pass the latter
   * if the question repeats because an approval changed the arguments.
   * @param approval - `true`, `false`, or `{ deny: "why" }`. @defaultValue true
   * @throws {EngineError} `already-answered`, `run-over`, `run-unknown`, or `value-too-large`.
   */
  async approve(call: string | PendingAnswer, approval: Approval = true): Promise<Receipt> {
    const { agent, runId } = this;
    const place = typeof call === "string" ? { agent, runId, name: waitName(call, "approval") } : call;
    return await this.#answer(place, approval);
  }

  /**
   * Reports the outcome of a call that was executed elsewhere, or of one whose outcome is unknown.
   *
   * @param call - A call of this run by its id, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered`, `run-over`, `run-unknown`, or `value-too-large`.
   */
  async answer(call: string | PendingAnswer, outcome: ExternalOutcome): Promise<Receipt> {
    const question = typeof call === "string" ? await this.#question(call, outcome) : call;
    if ("notExecuted" in outcome && question.question !== "unknown-outcome")
      throw new TypeError("an external call needs an output or an error");
    // As in a tool, no result means the output null.
    return await this.#answer(question, "output" in outcome ? { output: outcome.output ?? null } : outcome);
  }

  /**
   * Sends input to the run: the next request to the model includes it, and the run continues for it if it was about to
   * finish. A run that ends for another reason first reports it as `unread`; a cancelled run drops it.
   *
   * @throws {EngineError} `run-over` when the run takes no more messages, `run-unknown`, or `value-too-large`.
   */
  async steer(input: EngineInput): Promise<Receipt> {
    const contents = buildContents(input);
    checkSize("the message", contents);
    return this.#check(await this.sendSteering(contents));
  }

  /** A handle on another run of the same engine. */
  protected abstract other(agent: string, runId: string): AgentRun;

  /**
   * Delivers the answer to the wait of this name.
   *
   * @param guess - Given if no open question of this call is known: the likeliest one; {@link possibleNames} has the others.
   */
  protected abstract sendAnswer(name: string, value: Json, guess: GuessedQuestion | undefined): Promise<Delivery>;

  protected abstract sendSteering(contents: readonly Content[]): Promise<Delivery>;

  /** Questions that are open now, to tell which one an answer is for; `undefined` if that cannot be found out. */
  protected async openQuestions(): Promise<readonly Question[] | undefined> {
    return (await this.state())?.questions ?? [];
  }

  async #pending(path: readonly string[]): Promise<readonly PendingAnswer[]> {
    const state = await this.state();
    if (state === undefined || isOver(state)) return [];
    const { agent, runId } = state;
    const inside = await Promise.all(
      state.children.map((child) => this.other(child.agent, child.runId).#pending([...path, child.agent])),
    );
    const own = state.questions.map((one) => ({ ...one, agent, runId, ...(path.length > 0 && { path }) }));
    return [...own, ...inside.flat()];
  }

  /** The question about the outcome of a call, with the name it will have if it has not been asked yet. */
  async #question(call: string, outcome: ExternalOutcome): Promise<Asked> {
    const { agent, runId } = this;
    const open = await this.openQuestions();
    const found = open?.find((one) => one.callId === call && one.question !== "approval");
    if (found !== undefined) return { ...found, agent, runId };
    // Only one question has that answer.
    const question = open === undefined && "notExecuted" in outcome ? "unknown-outcome" : "outcome";
    return { agent, runId, name: waitName(call, question), question, guess: { callId: call, question } };
  }

  async #answer({ agent, runId, name, guess }: Asked, value: Approval | ExternalOutcome): Promise<Receipt> {
    checkSize(`the answer to ${name}`, value);
    const run = this.other(agent, runId);
    // An approval and an outcome are JSON by contract.
    return run.#check(await run.sendAnswer(name, value as unknown as Json, guess), name);
  }

  #check(delivery: Delivery, name: string = ""): Receipt {
    const { agent, runId } = this;
    switch (delivery) {
      case "delivered":
      case "accepted":
        return delivery;
      case "already-answered":
        throw new EngineError(delivery, `${name} of run "${runId}" has already been answered`);
      case "run-over":
        throw new EngineError(delivery, `run "${runId}" of ${agent} is over`);
      case "run-unknown":
        throw unknownRun(agent, runId);
    }
  }
}

type Asked = Pick<PendingAnswer, "agent" | "runId" | "name"> &
  Partial<Pick<PendingAnswer, "question">> & { readonly guess?: GuessedQuestion | undefined };

/** A question that a call most likely has. */
export type GuessedQuestion = Pick<Question, "callId" | "question">;

/** Names of the questions about the outcome of a call that may come, the likeliest first: a call has only one of them. */
export function possibleNames({ callId, question }: GuessedQuestion): readonly [string, ...string[]] {
  const unknown = waitName(callId, "unknown-outcome");
  return question === "unknown-outcome" ? [unknown] : [waitName(callId, question), waitName(callId, "job"), unknown];
}

/**
 * What is known about an answer or a message that was sent to a run. `delivered`: the run has it, or will find it when it gets there.
 * `accepted`: the engine has stored it and hands it over as soon as a worker is running; only then does it turn out whether it came in
 * time; if not, it is dropped.
 */
export type Receipt = "delivered" | "accepted";

/** Result of sending something to a run. */
export type Delivery = Receipt | "already-answered" | "run-over" | "run-unknown";

/** @throws {EngineError} `value-too-large`. */
function checkSize(what: string, value: unknown): void {
  const bytes = byteLength(JSON.stringify(value), MAX_VALUE_BYTES);
  if (bytes <= MAX_VALUE_BYTES) return;
  const message = `${what} is ${bytes} bytes, over the limit of ${MAX_VALUE_BYTES}: store large data and send a reference to it`;
  throw new EngineError("value-too-large", message);
}

/** Options of a wait. */
export interface WaitOptions {
  /** Ends the wait; the run continues. */
  readonly signal?: AbortSignal | undefined;
}

/** State of a run, readable from any process while the engine stores it. */
export interface EngineRunState {
  readonly runId: string;
  readonly agent: string;
  /**
   * `queued`: no worker has it yet. `waiting`: blocked until a question is answered. The last three are final; see the report.
   */
  readonly status: "queued" | "running" | "waiting" | "ended" | "failed" | "cancelled";
  /** Unanswered questions. */
  readonly questions: readonly Question[];
  /** Runs of other agents in progress inside this one. */
  readonly children: readonly { readonly agent: string; readonly runId: string }[];
}

/** A question that is answered from outside the run. */
export interface Question extends PendingCall {
  /** Name of the wait, used to answer it. */
  readonly name: string;
}

/** A call that waits for an answer from outside, and where to send it. */
export interface PendingAnswer extends Question {
  /** Agent of the run that asks: this run, or one inside it. */
  readonly agent: string;
  readonly runId: string;
}

/** Whether a run has ended. */
export function isOver({ status }: Pick<EngineRunState, "status">): boolean {
  return status === "ended" || status === "failed" || status === "cancelled";
}

/** The questions in a round of operations. */
export function questionsIn(ops: readonly Op[]): Question[] {
  // The loop built this question from the call.
  return ops.flatMap((op) =>
    op.kind === "wait" ? [{ ...(op.question as unknown as PendingCall), name: op.name }] : [],
  );
}

/** What went wrong between a client and its runs, as a code to `switch` on. */
export type EngineErrorCode =
  /** The engine's address does not respond. */
  | "server-unreachable"
  /** The engine rejected the request; the message quotes it. */
  | "server-refused"
  /** No worker serves the agent. */
  | "agent-unknown"
  /** The run was never started, or is no longer stored. */
  | "run-unknown"
  /** The run has ended and accepts nothing. */
  | "run-over"
  /** The question already has another answer. */
  | "already-answered"
  /** Another agent has a run with that id. */
  | "id-taken"
  /** An answer or a message exceeds what an engine can store: 8 MiB of JSON. */
  | "value-too-large"
  /** No worker was ever started on this database. */
  | "no-tables"
  /** The worker or the client was closed. */
  | "not-launched";

/** Thrown by an engine's clients and workers; a run's own failure is a report instead. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** HTTP status of the engine's response, if there was one. */
  readonly status: number | undefined;

  constructor(code: EngineErrorCode, message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
    this.status = options.status;
  }
}

/** The error for a run that the engine does not know, or no longer stores. */
export function unknownRun(
  agent: string,
  runId: string,
  options?: ErrorOptions & { readonly status?: number },
): EngineError {
  return new EngineError("run-unknown", `${agent} has no run "${runId}", or it is no longer kept`, options);
}
