import { Error as DbosErrors } from "@dbos-inc/dbos-sdk";
import type { Approval, ExternalOutcome, PendingCall, PendingQuestion } from "@pollux/core";
import { type EngineEvent, type RunReport, waitName } from "@pollux/core/durable";
import { EngineError } from "./engine-error.ts";
import type { Connection } from "./connection.ts";
import { EVENT_STREAM, LAST_WORDS_MS, type SentAnswer, STEER_TOPIC } from "./protocol.ts";
import { answeredOf, isOver, reportOf, type RunState, stateOf, workflowOf } from "./run-state.ts";
import { abortable, pause } from "./waiting.ts";

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
  /** Ends the wait; the run goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** How live events are read. */
export interface EventsOptions extends WaitOptions {
  /** How many batches to leave out, such as those that were read before. @defaultValue 0: all since the run began */
  readonly offset?: number | undefined;
}

/** Seconds for which DBOS looks for a batch: a look cannot be called off, and one for a reader who has left has to end. */
const READ_S = 2;

/** One run of an agent that a worker serves. Holds its names only: make as many as you like, anywhere. */
export class AgentRun {
  readonly agent: string;
  readonly runId: string;
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection, agent: string, runId: string) {
    // What Postgres cannot keep would be kept as another text.
    if (/^$|\0|\p{Surrogate}/u.test(runId))
      throw new TypeError(
        `runId: ${JSON.stringify(runId)} cannot be the id of a run: it is empty, or no text that Postgres takes`,
      );
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
    const client = await this.#connection.dbos();
    for (;;) {
      signal?.throwIfAborted();
      const workflow = await workflowOf(client, this.runId);
      if (workflow === undefined) throw this.#unknown();
      if (!ACTIVE.has(workflow.status)) return await reportOf(client, this.#connection.database, this.runId);
      await pause(this.#connection.pollMs, signal);
    }
  }

  /** What goes on now, or how it ended; `undefined` before it has begun or when it is no longer kept. */
  async state(): Promise<RunState | undefined> {
    return await stateOf(this.#connection, this.runId);
  }

  /** What is waited for, by this run and the runs inside it. */
  async pending(): Promise<readonly PendingAnswer[]> {
    return await this.#pending([]);
  }

  /**
   * Says whether a call may be run. An answer that comes before the question is kept.
   *
   * @param call - A call of this run by its id, such as `call:3.0`, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered`, `run-over` or `run-unknown`.
   */
  async approve(call: string | PendingAnswer, approval: Approval): Promise<void> {
    await this.#answer(await this.#question(call, "approval"), approval);
  }

  /**
   * Says what came of a call that is carried out elsewhere, or of one of which nobody knows.
   *
   * @param call - A call of this run by its id, or one of {@link AgentRun.pending}.
   * @throws {EngineError} `already-answered`, `run-over` or `run-unknown`.
   */
  async answer(call: string | PendingAnswer, outcome: ExternalOutcome): Promise<void> {
    const asked = await this.#question(call, "outcome");
    if ("notExecuted" in outcome && asked.question !== "unknown-outcome")
      throw new TypeError("a call that is carried out elsewhere needs an output or an error");
    await this.#answer(asked, "output" in outcome ? { output: outcome.output ?? null } : outcome);
  }

  /**
   * Says something to the run: it goes along with the next request to the model.
   *
   * @throws {EngineError} `run-over` or `run-unknown`.
   */
  async steer(text: string): Promise<void> {
    await this.#going();
    const client = await this.#connection.dbos();
    await client.send(this.runId, [{ role: "user", parts: [{ text }] }], STEER_TOPIC);
  }

  /** Ends the run and those inside it, and waits until it has ended. One that is over already is left as it is. */
  async cancel({ signal }: WaitOptions = {}): Promise<RunReport> {
    const client = await this.#connection.dbos();
    const begun = (await workflowOf(client, this.runId))?.status === "PENDING";
    await client.cancelWorkflow(this.runId, { cancelChildren: true });
    const until = Date.now() + (begun ? LAST_WORDS_MS : 0);
    for (;;) {
      const report = await this.result({ signal });
      if (report.status !== "cancelled" || report.soFar !== undefined || Date.now() >= until) return report;
      await pause(50, signal);
    }
  }

  /**
   * What the run reports while it goes on, from any worker, and what it reported before. Ends with the run.
   *
   * A `seq` that is not the next one says that events were dropped; a higher `attempt` of a step, or a lower `seq`, that the step
   * was begun anew and what it reported before is void. The report has everything, whatever was missed here.
   *
   * @throws {EngineError} `run-unknown`
   */
  async *events({ signal, offset = 0 }: EventsOptions = {}): AsyncGenerator<EngineEvent, void, void> {
    const { eventPollMs: pollingIntervalMs } = this.#connection;
    const client = await this.#connection.dbos();
    if ((await workflowOf(client, this.runId)) === undefined) throw this.#unknown();
    const options = { pollingIntervalMs, timeoutSeconds: READ_S };
    for (let place = offset; ;) {
      const batches = client.readStream<readonly EngineEvent[]>(this.runId, EVENT_STREAM, {
        ...options,
        offset: place,
      });
      try {
        for (;;) {
          const next = await abortable(batches.next(), signal);
          if (next.done === true) return;
          place++;
          yield* next.value;
        }
      } catch (error) {
        if (!DbosErrors.isStreamTimeoutError(error)) throw error;
      }
    }
  }

  async #pending(path: readonly string[]): Promise<readonly PendingAnswer[]> {
    const state = await this.state();
    if (state === undefined || isOver(state)) return [];
    const { agent, runId } = state;
    const inside = await Promise.all(
      state.children.map((child) =>
        new AgentRun(this.#connection, child.agent, child.runId).#pending([...path, child.agent]),
      ),
    );
    const own = state.questions.map((one) => ({ ...one, agent, runId, ...(path.length > 0 && { path }) }));
    return [...own, ...inside.flat()];
  }

  /** Where an answer goes. A question that was not put yet has the name it will have. */
  async #question(call: string | PendingAnswer, kind: "approval" | "outcome"): Promise<Asked> {
    if (typeof call !== "string") return call;
    const { runId, questions } = await this.#going();
    const found = questions.find(
      (one) => one.callId === call && (one.question === "approval") === (kind === "approval"),
    );
    return { runId, name: found?.name ?? waitName(call, kind), question: found?.question };
  }

  async #answer({ runId, name }: Asked, value: unknown): Promise<void> {
    const { database } = this.#connection;
    const client = await this.#connection.dbos();
    if ((await answeredOf(database, runId, [{ name }])).has(name))
      throw new EngineError("already-answered", `${name} of run "${runId}" has an answer already`);
    await new AgentRun(this.#connection, this.agent, runId).#going();
    // Of two that answer at the very same time, the first is heard: DBOS keeps one message of a key.
    const sent: SentAnswer<unknown> = { value };
    await client.send(runId, sent, name, name);
  }

  async #going(): Promise<RunState> {
    const state = await this.state();
    if (state === undefined) throw this.#unknown();
    if (isOver(state)) throw new EngineError("run-over", `run "${this.runId}" of ${state.agent} is over`);
    return state;
  }

  #unknown(): EngineError {
    return new EngineError("run-unknown", `${this.agent} has no run "${this.runId}", or it is no longer kept`);
  }
}

interface Asked extends Pick<PendingAnswer, "runId" | "name"> {
  readonly question?: PendingQuestion | undefined;
}

const ACTIVE = new Set(["PENDING", "ENQUEUED", "DELAYED"]);
