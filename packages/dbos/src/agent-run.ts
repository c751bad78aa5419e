import { type DBOSClient, Error as DbosErrors } from "@dbos-inc/dbos-sdk";
import type { Content } from "@pollux/core";
import type { Json, RunReport } from "@pollux/core/durable";
import {
  AgentRun,
  type Delivery,
  type EngineEvent,
  type EngineRunState,
  type GuessedQuestion,
  possibleNames,
  type Receipt,
  unknownRun,
  type WaitOptions,
} from "@pollux/engine";
import type { Connection } from "./connection.ts";
import { EVENT_STREAM, LAST_WORDS_MS, type SentAnswer, STEER_TOPIC, STEERING_OVER_EVENT } from "./protocol.ts";
import { findAnswered, findWorkflow, readReport, readState } from "./run-state.ts";
import { abortable, pause } from "./waiting.ts";

/** Options for reading live events. */
export interface EventsOptions extends WaitOptions {
  /** How many batches to skip, such as those already read. @defaultValue 0: everything since the run started */
  readonly offset?: number | undefined;
}

/** Seconds that DBOS waits for a batch: this wait can't be aborted, and one for a reader that has left must end. */
const READ_S = 2;

/** A handle on one run of an agent that a worker serves on DBOS. */
export class DbosRun extends AgentRun {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection, agent: string, runId: string) {
    // Postgres would store a different text for these.
    if (/^$|\0|\p{Surrogate}/u.test(runId))
      throw new TypeError(
        `runId: ${JSON.stringify(runId)} cannot be the id of a run: it is empty or contains characters that Postgres cannot store`,
      );
    super(agent, runId);
    this.#connection = connection;
  }

  async result({ signal }: WaitOptions = {}): Promise<RunReport> {
    const client = await this.#connection.dbos();
    for (;;) {
      signal?.throwIfAborted();
      const workflow = await findWorkflow(client, this.runId);
      if (workflow === undefined) throw unknownRun(this.agent, this.runId);
      if (!ACTIVE.has(workflow.status)) return await readReport(client, this.#connection.database, this.runId);
      await pause(this.#connection.pollMs, signal);
    }
  }

  async state(): Promise<EngineRunState | undefined> {
    return await readState(this.#connection, this.runId);
  }

  async cancel({ signal }: WaitOptions = {}): Promise<RunReport> {
    const client = await this.#connection.dbos();
    const begun = (await findWorkflow(client, this.runId))?.status === "PENDING";
    await this.requestCancel();
    const until = Date.now() + (begun ? LAST_WORDS_MS : 0);
    for (;;) {
      const report = await this.result({ signal });
      if (report.status !== "cancelled" || report.soFar !== undefined || Date.now() >= until) return report;
      await pause(50, signal);
    }
  }

  async requestCancel(): Promise<Receipt> {
    const client = await this.#connection.dbos();
    if ((await findWorkflow(client, this.runId)) === undefined) throw unknownRun(this.agent, this.runId);
    await client.cancelWorkflow(this.runId, { cancelChildren: true });
    return "delivered";
  }

  /** Starts with what the run has already reported. @throws {EngineError} `run-unknown` */
  async *events({ signal, offset = 0 }: EventsOptions = {}): AsyncGenerator<EngineEvent, void, void> {
    const { eventPollMs: pollingIntervalMs } = this.#connection;
    const client = await this.#connection.dbos();
    if ((await findWorkflow(client, this.runId)) === undefined) throw unknownRun(this.agent, this.runId);
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

  protected other(agent: string, runId: string): DbosRun {
    return new DbosRun(this.#connection, agent, runId);
  }

  protected async sendAnswer(name: string, value: Json, guess: GuessedQuestion | undefined): Promise<Delivery> {
    const { runId } = this;
    const { database } = this.#connection;
    const client = await this.#connection.dbos();
    const names = guess === undefined ? [name] : possibleNames(guess);
    if ((await findAnswered(database, runId, names)).size > 0) return "already-answered";
    // Of two answers sent at the same moment, the first counts: DBOS keeps one message per key.
    const sent: SentAnswer<Json> = { value, id: crypto.randomUUID() };
    const delivery = await this.#deliver(client, name, () => client.send(runId, sent, name, name));
    if (delivery !== "delivered") return delivery;
    for (const other of names.slice(1)) await client.send(runId, sent, other, other);
    const sql = `SELECT FROM "${database.schema}".notifications WHERE message_uuid = $1 AND strpos(message, $2) > 0`;
    return (await database.query(sql, [`${name}::${runId}`, sent.id])).length > 0 ? "delivered" : "already-answered";
  }

  protected async sendSteering(contents: readonly Content[]): Promise<Delivery> {
    const client = await this.#connection.dbos();
    const key = crypto.randomUUID();
    return await this.#deliver(client, key, () => client.send(this.runId, contents, STEER_TOPIC, key), true);
  }

  /**
   * Sends a message, unless the run takes no more. It may have stopped just then, so this is checked again afterward.
   *
   * @param key - Identifies the message in the database, together with the run's id.
   */
  async #deliver(
    client: DBOSClient,
    key: string,
    send: () => Promise<void>,
    isSteering: boolean = false,
  ): Promise<Delivery> {
    const { runId } = this;
    const { database } = this.#connection;
    const isClosed = async (): Promise<boolean | undefined> => {
      const workflow = await findWorkflow(client, runId);
      if (workflow === undefined) return undefined;
      if (!ACTIVE.has(workflow.status)) return true;
      return isSteering && (await client.getEvent<boolean>(runId, STEERING_OVER_EVENT, { timeoutSeconds: 0 })) === true;
    };
    const before = await isClosed();
    if (before === undefined) return "run-unknown";
    if (before) return "run-over";
    await send();
    const after = await isClosed();
    if (after === undefined) return "run-unknown";
    if (!after) return "delivered";
    // Taken back, unless the run has received it in time after all.
    const sql = `DELETE FROM "${database.schema}".notifications WHERE message_uuid = $1 AND consumed = false RETURNING topic`;
    const unread = await database.query(sql, [`${key}::${runId}`]);
    return unread.length > 0 ? "run-over" : "delivered";
  }
}

const ACTIVE = new Set(["PENDING", "ENQUEUED", "DELAYED"]);
