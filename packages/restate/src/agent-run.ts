import type { Content } from "@pollux/core";
import type { Json, RunReport } from "@pollux/core/durable";
import {
  AgentRun,
  type Delivery,
  EngineError,
  type EngineEvent,
  type GuessedQuestion,
  type Question,
  type Receipt,
  type WaitOptions,
} from "@pollux/engine";
import { type Ingress, rpc } from "@restatedev/restate-sdk-clients";
import { type Connection, type RunClient, sendRequest } from "./connection.ts";
import { type EventSourceOfRun, readEvents } from "./read-events.ts";
import type { RunState } from "./run-state.ts";

/** A request that only waits is renewed after this many milliseconds: `fetch` gives up a little later. */
const ATTACH_MS = 240_000;

/** A handle on one run of an agent that a worker serves on Restate. */
export class RestateRun extends AgentRun {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection, agent: string, runId: string) {
    // As URL segments, these would mean another address.
    if (["", ".", ".."].includes(runId)) throw new TypeError(`runId: "${runId}" cannot be the id of a run`);
    super(agent, runId);
    this.#connection = connection;
  }

  async result({ signal }: WaitOptions = {}): Promise<RunReport> {
    for (;;) {
      const patience = AbortSignal.timeout(ATTACH_MS);
      const until = signal === undefined ? patience : AbortSignal.any([signal, patience]);
      try {
        return await this.#send((workflow) => workflow.workflowAttach(rpc.opts({ signal: until })));
      } catch (error) {
        signal?.throwIfAborted();
        if (!patience.aborted) return this.#endedBadly(error);
      }
    }
  }

  async state(): Promise<RunState | undefined> {
    return (await this.#send((workflow) => workflow.state())) ?? undefined;
  }

  async cancel(options: WaitOptions = {}): Promise<RunReport> {
    await this.requestCancel();
    return await this.result(options);
  }

  async requestCancel(): Promise<Receipt> {
    if (await this.#isOver()) return "delivered";
    return (await this.#deliver("cancel", undefined)) === undefined ? "accepted" : "delivered";
  }

  /** Starts with the events that the worker still has. */
  events({ signal }: WaitOptions = {}): AsyncIterable<EngineEvent> {
    const source: EventSourceOfRun = {
      over: (until) => this.result({ signal: until }),
      next: (question, until) => this.#send((workflow) => workflow.feed(question, rpc.opts({ signal: until }))),
    };
    return readEvents(source, signal);
  }

  protected other(agent: string, runId: string): RestateRun {
    return new RestateRun(this.#connection, agent, runId);
  }

  protected async sendAnswer(name: string, value: Json, guess: GuessedQuestion | undefined): Promise<Delivery> {
    // A run that hasn't started yet keeps it.
    const over = await this.#isOver().catch((error: unknown) => {
      if (error instanceof EngineError && error.code === "run-unknown") return false;
      throw error;
    });
    const result = await this.#deliver("answer", { name, value, guess });
    if (result === undefined) return over ? "run-over" : "accepted";
    return result.reply as Delivery; // of our own handler
  }

  protected async sendSteering(contents: readonly Content[]): Promise<Delivery> {
    if (await this.#isOver()) return "run-over";
    const result = await this.#deliver("steer", contents);
    return result === undefined ? "accepted" : (result.reply as Delivery); // of our own handler
  }

  protected override async openQuestions(): Promise<readonly Question[] | undefined> {
    const signal = AbortSignal.timeout(this.#connection.replyWithinMs);
    try {
      const state = await this.#send((workflow) => workflow.state(rpc.opts({ signal })));
      return state?.questions ?? [];
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Asks the server alone, with no worker involved. @throws {EngineError} `run-unknown` */
  async #isOver(): Promise<boolean> {
    try {
      return (await this.#send((workflow) => workflow.workflowOutput())).ready;
    } catch (error) {
      // Restate itself ended it.
      if (error instanceof EngineError && error.code === "server-refused") return true;
      throw error;
    }
  }

  /** Has the server store a message to the run, and waits a while for the reply of a worker; `undefined` if none came. */
  async #deliver(handler: string, parameter: unknown): Promise<{ readonly reply: unknown } | undefined> {
    const { agent, runId } = this;
    const { replyWithinMs } = this.#connection;
    const to = { service: agent, key: runId, handler, parameter };
    // Made before the first attempt: makes all attempts, and the wait for the reply, one request.
    const idempotencyKey = crypto.randomUUID();
    const asOne = rpc.sendOpts<unknown>({ idempotencyKey });
    await this.#send((_, ingress) => ingress.send({ ...to, opts: asOne }));
    const signal = AbortSignal.timeout(replyWithinMs);
    const reply = rpc.opts<unknown, unknown>({ idempotencyKey, signal });
    try {
      return { reply: await this.#send((_, ingress) => ingress.call<unknown, unknown>({ ...to, opts: reply })) };
    } catch (error) {
      if (signal.aborted || (error instanceof EngineError && error.code === "server-unreachable")) return undefined;
      throw error;
    }
  }

  #send<T>(request: (workflow: RunClient, ingress: Ingress) => PromiseLike<T>): Promise<T> {
    return sendRequest(this.#connection, this.agent, this.runId, request);
  }

  /** A run that Restate itself ended, for example with `kill`, has no report. */
  #endedBadly(error: unknown): RunReport {
    if (!(error instanceof EngineError) || error.code !== "server-refused") throw error;
    const { runId } = this;
    const reason = {
      name: "RestateError",
      message: error.message,
      ...(error.status !== undefined && { status: error.status }),
    };
    return { status: "failed", runId, activeMs: 0, error: reason };
  }
}
