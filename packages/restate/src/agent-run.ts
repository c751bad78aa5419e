import type { Approval, Content, ExternalOutcome, PendingCall } from "@pollux/core";
import { type EngineEvent, type RunReport, waitName } from "@pollux/core/durable";
import { rpc } from "@restatedev/restate-sdk-clients";
import { askOf, type Connection, type RunClient } from "./connection.ts";
import { EngineError } from "./engine-error.ts";
import { type EventSourceOfRun, readEvents } from "./read-events.ts";
import type { RunState } from "./run-state.ts";
import { isOver } from "./shared-handlers.ts";

/** A call that waits for somebody outside, and where its answer goes. */
export interface PendingAnswer extends PendingCall {
  /** The run that asks: this one, or one inside it. */
  readonly agent: string;
  readonly runId: string;
  /** Name of the wait. */
  readonly name: string;
}

/** Bounds of a wait. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A request that only waits is made anew after so many milliseconds: `fetch` gives up a little later. */
const ATTACH_MS = 240_000;

/** One run of an agent that a worker serves. Holds its names only: make as many as you like, anywhere. */
export class AgentRun {
  readonly agent: string;
  readonly runId: string;
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection, agent: string, runId: string) {
    // Parts of an address: these would name another one.
    if (["", ".", ".."].includes(runId)) throw new TypeError(`runId: "${runId}" cannot be the id of a run`);
    this.#connection = connection;
    this.agent = agent;
    this.runId = runId;
  }

  /**
   * How the run ended; waits for that. Failures are reports as well.
   *
   * @throws {EngineError} `server-unreachable` or `run-unknown`.
   */
  async result({ signal }: WaitOptions = {}): Promise<RunReport> {
    for (;;) {
      const patience = AbortSignal.timeout(ATTACH_MS);
      const until = signal === undefined ? patience : AbortSignal.any([signal, patience]);
      try {
        return await this.#ask((workflow) => workflow.workflowAttach(rpc.opts({ signal: until })));
      } catch (error) {
        signal?.throwIfAborted();
        if (!patience.aborted) return this.#endedBadly(error);
      }
    }
  }

  /** What goes on now, or how it ended; `undefined` before it has begun or when it is no longer kept. */
  async state(): Promise<RunState | undefined> {
    return (await this.#ask((workflow) => workflow.state())) ?? undefined;
  }

  /** What is waited for, by this run and the runs inside it. */
  async pending(): Promise<readonly PendingAnswer[]> {
    return await this.#pending([]);
  }

  /**
   * Says whether a call may be run.
   *
   * @param call - A call of this run by its id, such as `call:3.0`, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered` or `run-over`
   */
  async approve(call: string | PendingAnswer, approval: Approval = true): Promise<void> {
    const asked = typeof call === "string" ? await this.#question(call, "approval") : call;
    await this.#answer(asked, approval);
  }

  /**
   * Says what came of a call that is carried out elsewhere, or of one of which nobody knows.
   *
   * @param call - A call of this run by its id, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered` or `run-over`
   */
  async answer(call: string | PendingAnswer, outcome: ExternalOutcome): Promise<void> {
    const asked = typeof call === "string" ? await this.#question(call, "outcome") : call;
    if ("notExecuted" in outcome && asked.question !== "unknown-outcome")
      throw new TypeError("a call that is carried out elsewhere needs an output or an error");
    await this.#answer(asked, "output" in outcome ? { output: outcome.output ?? null } : outcome);
  }

  /**
   * Says something to the run: it goes along with the next request to the model.
   *
   * @throws {EngineError} `run-over`
   */
  async steer(input: string | readonly Content[]): Promise<void> {
    const contents = typeof input === "string" ? [{ role: "user" as const, parts: [{ text: input }] }] : input;
    const asOne = retriable();
    const heard = await this.#ask((workflow) => workflow.steer(contents, asOne));
    if (!heard) throw new EngineError("run-over", `run "${this.runId}" of ${this.agent} is over`);
  }

  /** Ends the run and those inside it, and waits until it has ended. One that is over already is left as it is. */
  async cancel(options: WaitOptions = {}): Promise<RunReport> {
    const output = await this.#ask((workflow) => workflow.workflowOutput());
    const asOne = retriable();
    if (!output.ready) await this.#ask((workflow) => workflow.cancel(asOne));
    return await this.result(options);
  }

  /**
   * What the run reports while it goes on, from any worker. Begins with what the worker still has of it, and ends with the run.
   *
   * A `seq` that is not the next one says that events were dropped; a higher `attempt` of a step, or a lower `seq`, that the step
   * was begun anew and what it reported before is void. The report has everything, whatever was missed here.
   */
  events({ signal }: WaitOptions = {}): AsyncIterable<EngineEvent> {
    const source: EventSourceOfRun = {
      over: (until) => this.result({ signal: until }),
      next: (asked, until) => this.#ask((workflow) => workflow.feed(asked, rpc.opts({ signal: until }))),
    };
    return readEvents(source, signal);
  }

  async #pending(path: readonly string[]): Promise<readonly PendingAnswer[]> {
    const state = await this.state();
    if (state === undefined || isOver(state)) return [];
    const { agent, runId } = this;
    const inside = await Promise.all(
      state.children.map((child) => this.#other(child.agent, child.runId).#pending([...path, child.agent])),
    );
    const own = state.questions.map((one) => ({ ...one, agent, runId, ...(path.length > 0 && { path }) }));
    return [...own, ...inside.flat()];
  }

  /** What is asked of a call of this run; before it is asked, what will be. */
  async #question(callId: string, kind: "approval" | "outcome"): Promise<Asked> {
    const { agent, runId } = this;
    const state = await this.state();
    const found = state?.questions.find(
      (one) => one.callId === callId && (one.question === "approval") === (kind === "approval"),
    );
    return { agent, runId, ...(found ?? { name: waitName(callId, kind), question: kind }) };
  }

  async #answer({ agent, runId, name }: Asked, value: unknown): Promise<void> {
    const asOne = retriable();
    const fate = await this.#other(agent, runId).#ask((workflow) => workflow.answer({ name, value }, asOne));
    if (fate === "answered-before")
      throw new EngineError("already-answered", `${name} of run "${runId}" has an answer already`);
    if (fate === "run-over") throw new EngineError("run-over", `run "${runId}" of ${agent} is over`);
  }

  #other(agent: string, runId: string): AgentRun {
    return new AgentRun(this.#connection, agent, runId);
  }

  #ask<T>(request: (workflow: RunClient) => PromiseLike<T>): Promise<T> {
    return askOf(this.#connection, this.agent, this.runId, request);
  }

  /** A run that Restate itself ended, such as by `kill`, has no report of its own. */
  #endedBadly(error: unknown): RunReport {
    if (!(error instanceof EngineError) || error.code !== "server-refused") throw error;
    const { runId } = this;
    const said = {
      name: "RestateError",
      message: error.message,
      ...(error.status !== undefined && { status: error.status }),
    };
    return { status: "failed", runId, activeMs: 0, error: said };
  }
}

type Asked = Pick<PendingAnswer, "agent" | "runId" | "name" | "question">;

/** What makes several attempts at a request one to the server: made before the first of them. */
function retriable(): ReturnType<typeof rpc.opts<never, never>> {
  return rpc.opts({ idempotencyKey: crypto.randomUUID() });
}
