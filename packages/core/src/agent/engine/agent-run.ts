import { waitName } from "../../durable/run-log.ts";
import type { Json } from "../../internal/json.ts";
import type { Op } from "../../durable/steps.ts";
import type { Approval, ExternalOutcome, PendingCall } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import { buildContents } from "../run-input.ts";
import type { EngineEvent, EngineInput, RunReport } from "./run-report.ts";

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

  /** Cancels the run and those inside it, and waits until it has ended. Does nothing to a run that has ended. */
  abstract cancel(options?: WaitOptions): Promise<RunReport>;

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
   * @param call - A call of this run by its id, such as `call:3.0`, or one of {@link AgentRun.pending}.
   * @param approval - `true`, `false`, or `{ deny: "why" }`. @defaultValue true
   * @throws {EngineError} `already-answered`, `run-over`, or `run-unknown`.
   */
  async approve(call: string | PendingAnswer, approval: Approval = true): Promise<void> {
    await this.#answer(await this.#question(call, "approval"), approval);
  }

  /**
   * Reports the outcome of a call that was executed elsewhere, or of one whose outcome is unknown.
   *
   * @param call - A call of this run by its id, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered`, `run-over`, or `run-unknown`.
   */
  async answer(call: string | PendingAnswer, outcome: ExternalOutcome): Promise<void> {
    const question = await this.#question(call, "outcome");
    if ("notExecuted" in outcome && question.question !== "unknown-outcome")
      throw new TypeError("an external call needs an output or an error");
    // As in a tool, no result means the output null.
    await this.#answer(question, "output" in outcome ? { output: outcome.output ?? null } : outcome);
  }

  /**
   * Sends input to the run: the next request to the model includes it.
   *
   * @throws {EngineError} `run-over` or `run-unknown`.
   */
  async steer(input: EngineInput): Promise<void> {
    this.#check(await this.sendSteering(buildContents(input)));
  }

  /** A handle on another run of the same engine. */
  protected abstract other(agent: string, runId: string): AgentRun;

  /** Delivers the answer to the wait of this name. */
  protected abstract sendAnswer(name: string, value: Json): Promise<Delivery>;

  protected abstract sendSteering(contents: readonly Content[]): Promise<Delivery>;

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

  /** The question about a call, with the name it will have if it has not been asked yet. */
  async #question(call: string | PendingAnswer, kind: "approval" | "outcome"): Promise<Asked> {
    if (typeof call !== "string") return call;
    const { agent, runId } = this;
    const state = await this.state();
    const found = state?.questions.find(
      (one) => one.callId === call && (one.question === "approval") === (kind === "approval"),
    );
    return { agent, runId, ...(found ?? { name: waitName(call, kind), question: kind }) };
  }

  async #answer({ agent, runId, name }: Asked, value: Approval | ExternalOutcome): Promise<void> {
    const run = this.other(agent, runId);
    // An approval and an outcome are JSON by contract.
    run.#check(await run.sendAnswer(name, value as unknown as Json), name);
  }

  #check(delivery: Delivery, name: string = ""): void {
    const { agent, runId } = this;
    switch (delivery) {
      case "delivered":
        return;
      case "already-answered":
        throw new EngineError(delivery, `${name} of run "${runId}" has already been answered`);
      case "run-over":
        throw new EngineError(delivery, `run "${runId}" of ${agent} is over`);
      case "run-unknown":
        throw unknownRun(agent, runId);
    }
  }
}

type Asked = Pick<PendingAnswer, "agent" | "runId" | "name" | "question">;

/** Result of sending something to a run. */
export type Delivery = "delivered" | "already-answered" | "run-over" | "run-unknown";

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
