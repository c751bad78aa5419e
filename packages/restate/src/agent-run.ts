import type { Content } from "@pollux/core";
import {
  AgentRun,
  type Delivery,
  EngineError,
  type EngineEvent,
  type Json,
  type RunReport,
  type WaitOptions,
} from "@pollux/core/durable";
import { rpc } from "@restatedev/restate-sdk-clients";
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
    const output = await this.#send((workflow) => workflow.workflowOutput());
    const asOne = retriable();
    if (!output.ready) await this.#send((workflow) => workflow.cancel(asOne));
    return await this.result(options);
  }

  /** Starts with the events that the worker still has. */
  events({ signal }: WaitOptions = {}): AsyncIterable<EngineEvent> {
    const source: EventSourceOfRun = {
      over: (until) => this.result({ signal: until }),
      next: (asked, until) => this.#send((workflow) => workflow.feed(asked, rpc.opts({ signal: until }))),
    };
    return readEvents(source, signal);
  }

  protected other(agent: string, runId: string): RestateRun {
    return new RestateRun(this.#connection, agent, runId);
  }

  protected async sendAnswer(name: string, value: Json): Promise<Delivery> {
    const asOne = retriable();
    return await this.#send((workflow) => workflow.answer({ name, value }, asOne));
  }

  protected async sendSteering(contents: readonly Content[]): Promise<Delivery> {
    const asOne = retriable();
    return await this.#send((workflow) => workflow.steer(contents, asOne));
  }

  #send<T>(request: (workflow: RunClient) => PromiseLike<T>): Promise<T> {
    return sendRequest(this.#connection, this.agent, this.runId, request);
  }

  /** A run that Restate itself ended, for example with `kill`, has no report of its own. */
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

/** The key that makes several attempts at a request one for the server: created before the first attempt. */
function retriable(): ReturnType<typeof rpc.opts<never, never>> {
  return rpc.opts({ idempotencyKey: crypto.randomUUID() });
}
