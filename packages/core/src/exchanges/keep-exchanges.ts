import { abortable } from "../internal/abort.ts";
import { checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
import { defaultLogger, type Logger } from "../logging/logger.ts";
import type { ObservedExchange, Observer } from "../loop/observers/observer.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { CallSignal } from "../wire/client-options.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { SessionConflictError } from "../errors/run-errors.ts";
import { isObject, type Json, tryOr } from "../internal/json.ts";
import { causesOf } from "../session/store/causes-id.ts";
import { CauseKeeper, type KeepCausesOptions } from "./keep-causes.ts";
import { bodyDelta, type KnownBody } from "./body-delta.ts";
import { entryOf, type ExchangeEntry, isExchangeEntry, KeptExchanges } from "./kept-exchanges.ts";

/** Options of {@link keepExchanges}. */
export interface KeepExchangesOptions {
  /**
   * Maximum bytes of exchanges that wait for the store. Further ones are not kept, and the next entry counts them.
   *
   * @defaultValue 67_108_864 (64 MiB)
   */
  readonly maxWaitingBytes?: number | undefined;
  /**
   * Maximum bytes of remembered request bodies, with which the next ones are compared. A session without a remembered body has its next
   * body written whole.
   *
   * @defaultValue 67_108_864 (64 MiB)
   */
  readonly maxKnownBytes?: number | undefined;
  /**
   * Also keeps the errors of tools, and the errors that failed steps and runs: message, stack and causes, shortened and redacted, in
   * separate logs beside the exchanges. {@link readCauses} reads them. @defaultValue none are kept
   */
  readonly causes?: KeepCausesOptions | undefined;
  /** Gets one warning when exchanges could not be written. @defaultValue silent, unless `POLLUX_LOG` names a level */
  readonly logger?: Logger | undefined;
}

const OPTIONS: OptionNames<KeepExchangesOptions> = namesIn("maxWaitingBytes maxKnownBytes causes logger");

/**
 * An observer that writes each HTTP exchange of its agents' runs to a store, byte for byte but without keys: one log for each session,
 * with its id; for a run without a session, with the run's id. A nested run is in the log of the run that contains it, if both have
 * this observer. {@link readExchanges} reads them.
 *
 * Bytes that an earlier entry has are not written again, so a log only grows by the new part of each request and answer. Runs neither
 * wait for the store nor fail with it.
 *
 * @param store - A store that is used for nothing else, because sessions use the same ids.
 *
 * @example
 * ```ts
 * const exchanges = keepExchanges(new JsonlStore("exchanges"));
 * const agent = new Agent({ model: "gemini-flash-latest", observers: [exchanges] });
 * await agent.session({ id: "chat-1", store: new JsonlStore("sessions") }).send("Hello");
 * await exchanges.flush();
 * ```
 *
 * @throws {TypeError} For an option that does not exist, and for a limit that is not a positive number.
 */
export function keepExchanges(store: SessionStore, options: KeepExchangesOptions = {}): ExchangeKeeper {
  return new ExchangeKeeper(store, options);
}

/** How many logs are remembered, and how many runs with their logs, for runs inside them: more than any process has at once. */
const MAX_LOGS = 10_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** See {@link keepExchanges}. */
export class ExchangeKeeper implements Observer {
  readonly #store: SessionStore;
  readonly #maxWaitingBytes: number;
  readonly #logger: Logger;
  readonly #maxKnownBytes: number;
  /** By id, in order of use. */
  readonly #logs = new Map<string, ExchangeLog>();
  /** The logs that remember bodies, in order of writing. */
  readonly #withBodies = new Set<ExchangeLog>();
  /** Id of the log of each run in progress. */
  readonly #logOf = new Map<string, string>();
  readonly #causes: CauseKeeper | undefined;
  /** Absent without `causes`. */
  readonly threw?: NonNullable<Observer["threw"]>;
  #waitingBytes = 0;
  #knownBytes = 0;
  #dropped = 0;
  #hasFailed = false;
  #isClosed = false;

  constructor(store: SessionStore, options: KeepExchangesOptions) {
    checkOptions("keepExchanges()", options, OPTIONS);
    this.#store = store;
    this.#maxWaitingBytes = limitOf("maxWaitingBytes", options.maxWaitingBytes);
    this.#maxKnownBytes = limitOf("maxKnownBytes", options.maxKnownBytes);
    this.#logger = options.logger ?? defaultLogger();
    if (options.causes === undefined) return;
    const causes = new CauseKeeper(store, options.causes, (error) =>
      this.#warn("a cause could not be written; runs are not affected", error),
    );
    this.#causes = causes;
    this.threw = ({ run, step, error, attempt }) => causes.keep(this.#idOf(run), error, { run, step, attempt });
  }

  /** Exchanges that were not kept: the store failed, or too many waited for it. */
  get dropped(): number {
    return this.#dropped;
  }

  readonly observe: NonNullable<Observer["observe"]> = (event) => {
    const { type, run } = event;
    this.#causes?.observe(this.#idOf(run), event);
    if (type === "run-end") this.#logOf.delete(run.runId);
    if (type !== "run-start") return;
    const outer = run.parent && this.#logOf.get(run.parent.runId);
    this.#logOf.set(run.runId, run.sessionId ?? outer ?? run.runId);
    // A run that its engine abandoned has no end.
    if (this.#logOf.size > MAX_LOGS) this.#logOf.delete(this.#logOf.keys().next().value ?? "");
  };

  readonly exchange: NonNullable<Observer["exchange"]> = (exchange) => {
    const log = this.#log(this.#idOf(exchange.run));
    const bytes = sizeOf(exchange);
    if (this.#isClosed || (this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#maxWaitingBytes)) {
      this.#drop(log, 1, "more exchanges wait for the store than maxWaitingBytes allows; some are not kept");
      return;
    }
    this.#waitingBytes += bytes;
    log.waiting.push(exchange);
    log.writing ??= this.#write(log);
  };

  /** Resolves when everything so far is written, or dropped. @throws The signal's reason. */
  async flush({ signal }: CallSignal = {}): Promise<void> {
    const logs = Array.from(this.#logs.values(), async (log) => await log.writing);
    const writing = Promise.all([...logs, this.#causes?.flush()]);
    await (signal === undefined ? writing : abortable(writing, signal));
  }

  /** Keeps no more exchanges, and writes the ones that wait. The store stays open. @throws The signal's reason. */
  async close(options: CallSignal = {}): Promise<void> {
    this.#isClosed = true;
    this.#causes?.close();
    await this.flush(options);
  }

  /** Removes the log of a session, or of a run without one, with its waiting exchanges and its causes. @returns How many exchanges were in it. */
  async delete(id: string): Promise<number> {
    const log = this.#logs.get(id);
    await log?.writing;
    if (log !== undefined) this.#forget(id, log);
    const { length } = await this.#store.load(id);
    await this.#store.delete(id);
    await this.#causes?.flush();
    await this.#store.deleteSessions({ prefix: causesOf(id) });
    return length;
  }

  /** Id of the log of a run. */
  #idOf({ runId, sessionId }: ObservedExchange["run"]): string {
    return this.#logOf.get(runId) ?? sessionId ?? runId;
  }

  #log(id: string): ExchangeLog {
    const log = this.#logs.get(id) ?? new ExchangeLog(this.#store, id);
    this.#logs.delete(id);
    this.#logs.set(id, log);
    for (const [oldest, idle] of this.#logs) {
      if (this.#logs.size <= MAX_LOGS || idle.writing !== undefined) break;
      this.#forget(oldest, idle);
    }
    return log;
  }

  #forget(id: string, log: ExchangeLog): void {
    this.#forgetBodies(log);
    this.#logs.delete(id);
  }

  #forgetBodies(log: ExchangeLog): void {
    log.forgetBodies();
    this.#countBodies(log);
  }

  #countBodies(log: ExchangeLog): void {
    const { knownBytes } = log;
    this.#knownBytes += knownBytes - log.countedBytes;
    log.countedBytes = knownBytes;
    this.#withBodies.delete(log);
    if (knownBytes > 0) this.#withBodies.add(log);
  }

  async #write(log: ExchangeLog): Promise<void> {
    // Not inside the run's own work.
    await Promise.resolve();
    while (log.waiting.length > 0) {
      const { waiting, dropped } = log;
      log.waiting = [];
      log.dropped = 0;
      try {
        await log.append(waiting, dropped);
      } catch (error) {
        log.dropped += dropped;
        this.#drop(log, waiting.length, "exchanges could not be written; runs are not affected", error);
      }
      for (const exchange of waiting) this.#waitingBytes -= sizeOf(exchange);
      this.#countBodies(log);
      for (const oldest of this.#withBodies) {
        if (this.#knownBytes <= this.#maxKnownBytes) break;
        this.#forgetBodies(oldest);
      }
    }
    log.writing = undefined;
  }

  #drop(log: ExchangeLog, count: number, message: string, error?: unknown): void {
    log.dropped += count;
    this.#dropped += count;
    if (this.#isClosed && error === undefined) return;
    this.#warn(message, error);
  }

  #warn(message: string, error: unknown): void {
    if (!this.#hasFailed) this.#logger.warn({ ...(error !== undefined && { err: error }) }, message);
    this.#hasFailed = true;
  }
}

function limitOf(name: string, value: number = DEFAULT_MAX_BYTES): number {
  if (typeof value !== "number" || !(value > 0))
    throw new TypeError(`keepExchanges(): ${name} must be a positive number`);
  return value;
}

function sizeOf({ body, chunks }: ObservedExchange): number {
  return chunks.reduce((sum, { text }) => sum + text.length, body.length);
}

/** How often an append is retried after another writer's before it fails. */
const MAX_CONFLICTS = 50;
/** Nested runs whose last body is rebuilt when a log is opened. */
const MAX_NESTED = 3;
/** Runs whose last bodies are remembered. */
const MAX_BODIES = 16;

interface RunBody extends KnownBody {
  readonly runId: string;
  readonly isNested: boolean;
}

/** One log of exchanges, as its writer knows it, and the exchanges that wait to be written to it. One append at a time. */
export class ExchangeLog {
  waiting: ObservedExchange[] = [];
  /** Number of exchanges lost since the last one that was written. */
  dropped = 0;
  /** Resolves when no exchange waits any more; undefined while none waits. */
  writing: Promise<void> | undefined;
  /** The part of {@link knownBytes} that its keeper has counted. */
  countedBytes = 0;
  readonly #store: SessionStore;
  readonly #id: string;
  /** Entries in the log; undefined until they are read. */
  #length: number | undefined;
  /** Where each `ExchangeAbout` is, by its JSON. */
  readonly #abouts = new Map<string, number>();
  /** The last body of each of the latest runs, in order: what the next body is compared with. */
  readonly #bodies = new Map<string, RunBody>();

  constructor(store: SessionStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  /** Size of the remembered bodies. */
  get knownBytes(): number {
    return [...this.#bodies.values()].reduce((sum, { body }) => sum + body.length, 0);
  }

  /** Forgets the remembered bodies, so that the next body is written whole. */
  forgetBodies(): void {
    this.#bodies.clear();
  }

  /**
   * Adds exchanges at the end, even while others write to the log.
   *
   * @param dropped - Number of lost exchanges before these.
   * @throws {ConfigurationError} When the log is a session's. Also any error of the store.
   */
  async append(exchanges: readonly ObservedExchange[], dropped: number): Promise<void> {
    for (let conflicts = 0; ; conflicts++) {
      const from = (this.#length ??= await this.#open());
      const entries = exchanges.map((exchange, index) => ({
        ...this.#entryOf(exchange, from + index),
        ...(index === 0 && dropped > 0 && { dropped }),
      }));
      try {
        // Plain data, except for undefined members, which JSON omits.
        await this.#store.append(this.#id, from, entries as unknown as readonly Json[]);
      } catch (error) {
        // Another writer was faster, or the write may have succeeded anyway: read the log again.
        this.#length = undefined;
        if (!(error instanceof SessionConflictError) || conflicts >= MAX_CONFLICTS) throw error;
        // The log was deleted: its exchanges must not begin a new one.
        if (from > 0 && (await this.#store.load(this.#id)).length === 0) return;
        continue;
      }
      this.#length = from + entries.length;
      return;
    }
  }

  async #open(): Promise<number> {
    const entries = await this.#store.load(this.#id);
    const [first] = entries;
    if (first !== undefined && (!isObject(first) || first["type"] !== "exchange"))
      throw new ConfigurationError(
        `"${this.#id}" is the log of a session: give keepExchanges a store of its own, such as new JsonlStore("exchanges").`,
      );
    this.#abouts.clear();
    this.#bodies.clear();
    for (const [position, entry] of entries.entries())
      if (isExchangeEntry(entry) && typeof entry.about !== "number")
        this.#abouts.set(JSON.stringify(entry.about), position);
    for (const one of lastBodies(new KeptExchanges(entries))) this.#remember(one);
    return entries.length;
  }

  #remember(one: RunBody): void {
    this.#bodies.delete(one.runId);
    this.#bodies.set(one.runId, one);
    if (this.#bodies.size <= MAX_BODIES) return;
    // Nested runs are forgotten before the run that contains them.
    const known = [...this.#bodies.values()];
    this.#bodies.delete((known.find(({ isNested }) => isNested) ?? known[0])?.runId ?? "");
  }

  #entryOf({ run, body, ...rest }: ObservedExchange, position: number): ExchangeEntry {
    const { runId, agent, model, endpoint, parent } = run;
    const delta = bodyDelta(body, this.#bodies.values());
    this.#remember({ position, runId, isNested: parent !== undefined, body });
    const exchange = { ...rest, runId, agent, model, endpoint, parent: parent && { ...parent } };
    return entryOf(exchange, delta, position, this.#abouts);
  }
}

/** The bodies that the next one may extend: the last run's, and the last nested runs'. */
function lastBodies(kept: KeptExchanges): RunBody[] {
  const runs = [...new Map(kept.exchanges.map((one) => [one.runId, one])).values()];
  const nested = runs.filter(({ parent }) => parent !== undefined).slice(-MAX_NESTED);
  const top = runs.filter(({ parent }) => parent === undefined).slice(-1);
  return [...top, ...nested].flatMap(({ position, runId, parent }): RunBody[] => {
    // After a damaged body, the next one is written whole.
    const body = tryOr<Uint8Array | undefined>(() => kept.body(position), undefined);
    return body === undefined ? [] : [{ position, runId, isNested: parent !== undefined, body }];
  });
}
