import { waitName } from "../../durable/run-log.ts";
import type { Json } from "../../internal/json.ts";
import type { Op } from "../../durable/steps.ts";
import type { Approval, ExternalOutcome, PendingCall } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import { buildContents } from "../run-input.ts";
import type { EngineEvent, EngineInput, RunReport } from "./run-report.ts";

/**
 * A client's handle on one run of an agent that a worker serves. It holds names only: make as many as you like, anywhere.
 *
 * What each engine does in its own way is abstract; the rest is the same on all of them.
 */
export abstract class AgentRun {
  readonly agent: string;
  readonly runId: string;

  constructor(agent: string, runId: string) {
    this.agent = agent;
    this.runId = runId;
  }

  /**
   * Waits for the run to end and gives its report. Failures are reports as well.
   *
   * @throws {EngineError} `server-unreachable` or `run-unknown`.
   */
  abstract result(options?: WaitOptions): Promise<RunReport>;

  /** What goes on now, or how the run ended; `undefined` before it has begun and when it is no longer kept. */
  abstract state(): Promise<EngineRunState | undefined>;

  /** Ends the run and those inside it, and waits until it has ended. One that is over is left as it is. */
  abstract cancel(options?: WaitOptions): Promise<RunReport>;

  /**
   * What the run reports while it goes on, from any worker. Ends with the run.
   *
   * A `seq` that is not the next one says that events were dropped. A higher `attempt` of a step, or a lower `seq`, says that the
   * step was begun anew: what it reported before is void. The report has everything, whatever was missed here.
   */
  abstract events(options?: WaitOptions): AsyncIterable<EngineEvent>;

  /** What this run and the runs inside it wait for. */
  async pending(): Promise<readonly PendingAnswer[]> {
    return await this.#pending([]);
  }

  /**
   * Says whether a call may be run. An answer that comes before its question is kept.
   *
   * @param call - A call of this run by its id, such as `call:3.0`, or one of {@link AgentRun.pending}.
   * @param approval - `true`, `false`, or `{ deny: "why" }`. @defaultValue true
   * @throws {EngineError} `already-answered`, `run-over`, or `run-unknown`.
   */
  async approve(call: string | PendingAnswer, approval: Approval = true): Promise<void> {
    await this.#answer(await this.#question(call, "approval"), approval);
  }

  /**
   * Says what came of a call that is carried out elsewhere, or of one whose outcome is unknown.
   *
   * @param call - A call of this run by its id, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered`, `run-over`, or `run-unknown`.
   */
  async answer(call: string | PendingAnswer, outcome: ExternalOutcome): Promise<void> {
    const question = await this.#question(call, "outcome");
    if ("notExecuted" in outcome && question.question !== "unknown-outcome")
      throw new TypeError("an external call needs an output or an error");
    // A function without a result has the output null, here as in a tool.
    await this.#answer(question, "output" in outcome ? { output: outcome.output ?? null } : outcome);
  }

  /**
   * Says something to the run: it goes along with the next request to the model.
   *
   * @throws {EngineError} `run-over` or `run-unknown`.
   */
  async steer(input: EngineInput): Promise<void> {
    this.#check(await this.sendSteering(buildContents(input)));
  }

  /** A handle on another run of the same engine. */
  protected abstract other(agent: string, runId: string): AgentRun;

  /** Hands over the answer to the wait of this name. */
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

  /** The question about a call; one that was not asked yet has the name it will have. */
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

/** What became of something that was said to a run. */
export type Delivery = "delivered" | "already-answered" | "run-over" | "run-unknown";

/** Bounds of a wait. */
export interface WaitOptions {
  /** Ends the wait; the run goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be read of a run while it is kept, from any process. */
export interface EngineRunState {
  readonly runId: string;
  readonly agent: string;
  /**
   * `queued`: no worker has it yet. `waiting`: nothing goes on before somebody answers. The last three are the end; the report
   * says more.
   */
  readonly status: "queued" | "running" | "waiting" | "ended" | "failed" | "cancelled";
  /** What is waited for and has no answer yet. */
  readonly questions: readonly Question[];
  /** Runs of other agents that go on inside this one. */
  readonly children: readonly { readonly agent: string; readonly runId: string }[];
}

/** A question to somebody outside of the run. */
export interface Question extends PendingCall {
  /** Name of the wait, by which it is answered. */
  readonly name: string;
}

/** A call that waits for somebody outside, and where its answer goes. */
export interface PendingAnswer extends Question {
  /** The run that asks: this one, or one inside it. */
  readonly agent: string;
  readonly runId: string;
}

/** Whether nothing more comes of a run. */
export function isOver({ status }: Pick<EngineRunState, "status">): boolean {
  return status === "ended" || status === "failed" || status === "cancelled";
}

/** The questions that a round of operations asks. */
export function questionsIn(ops: readonly Op[]): Question[] {
  // The loop's own question, which it made from the call.
  return ops.flatMap((op) =>
    op.kind === "wait" ? [{ ...(op.question as unknown as PendingCall), name: op.name }] : [],
  );
}

/** What went wrong between a client and its runs, as a word to `switch` on. */
export type EngineErrorCode =
  /** Nothing answers at the engine's address. */
  | "server-unreachable"
  /** The engine refused; the message has its words. */
  | "server-refused"
  /** No worker serves the agent. */
  | "agent-unknown"
  /** The run was never started, or is no longer kept. */
  | "run-unknown"
  /** The run is over, so it hears nothing. */
  | "run-over"
  /** The question has another answer already. */
  | "already-answered"
  /** Another agent has a run of that id. */
  | "id-taken"
  /** No worker was ever started on this database. */
  | "no-tables"
  /** The worker or the client was closed. */
  | "not-launched";

/** Thrown by an engine's clients and workers; a run's own failure is a report instead. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** HTTP status of the engine's answer, when there was one. */
  readonly status: number | undefined;

  constructor(code: EngineErrorCode, message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
    this.status = options.status;
  }
}

/** The error for a run that the engine does not know. */
export function unknownRun(
  agent: string,
  runId: string,
  options?: ErrorOptions & { readonly status?: number },
): EngineError {
  return new EngineError("run-unknown", `${agent} has no run "${runId}", or it is no longer kept`, options);
}
