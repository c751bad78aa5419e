import { SessionConflictError } from "../errors/run-errors.ts";
import { asObject, isObject, type Json, tryOr } from "../internal/json.ts";
import { checkOptions } from "../internal/option-names.ts";
import type { ObservedEvent } from "../loop/events.ts";
import type { ObservedThrow } from "../loop/observers/observer.ts";
import { CAUSES, causesOf } from "../session/store/causes-id.ts";
import type { SessionStore } from "../session/store/store.ts";
import { redact } from "../wire/secrets/redact.ts";

/** What is kept of the causes, and for how long. */
export interface KeepCausesOptions {
  /** Milliseconds until a cause expires: it is no longer read, and a running keeper with this option removes it. @defaultValue 86_400_000, a day */
  readonly forMs?: number | undefined;
  /** Texts that must not be kept, in addition to anything that looks like a Google key. */
  readonly secrets?: readonly string[] | undefined;
}

/** An error of a tool, or the error that failed a step or a run. */
export interface KeptCause {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When it expires, in milliseconds since the epoch. */
  readonly until: number;
  readonly runId: string;
  /** 0 for a run that failed outside of its turns. */
  readonly turn: number;
  /** Name of the step. Absent for the error of a run. */
  readonly step?: string | undefined;
  readonly callId?: string | undefined;
  /** The tool that threw, and the number of its attempt, from 1. */
  readonly tool?: string | undefined;
  readonly attempt?: number | undefined;
  readonly error: CauseError;
}

/** A thrown value as text. A value that is no error has its type as name. */
export interface CauseError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Its `cause`; for an aggregate error, its first error. */
  readonly cause?: CauseError | undefined;
}

const DAY = 86_400_000;
const MAX_DEPTH = 8;
/** Maximum length of a message or stack, in characters. */
const MAX_TEXT = 8000;
/** Maximum number of causes of one run. */
const MAX_CAUSES = 100;
const MAX_WAITING = 1000;
/** How often expired logs are removed; every `forMs` if that is shorter. In milliseconds. */
const SWEEP_MS = 3_600_000;

/** Writes causes to a store: one log for each run, so that a store can remove logs by age without reading them. */
export class CauseKeeper {
  readonly #store: SessionStore;
  readonly #forMs: number;
  readonly #secrets: readonly string[];
  readonly #failed: (error: unknown) => void;
  /** Runs whose last step failed: they fail with its error. */
  readonly #failing = new WeakSet<object>();
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;
  #sweptAt = -Infinity;
  #isClosed = false;

  /** @throws {TypeError} For an option that does not exist, and for a time that is not a positive number. */
  constructor(store: SessionStore, options: KeepCausesOptions, failed: (error: unknown) => void) {
    checkOptions("keepExchanges(): causes", options, { forMs: true, secrets: true });
    const { forMs = DAY, secrets = [] } = options;
    if (!Number.isFinite(forMs) || forMs <= 0)
      throw new TypeError("keepExchanges(): causes.forMs must be a positive number of milliseconds");
    this.#store = store;
    this.#forMs = forMs;
    this.#secrets = [...secrets];
    this.#failed = failed;
  }

  /** @param id - Id of the log with the run's exchanges. */
  observe(id: string, event: ObservedEvent): void {
    const { type, run } = event;
    if (type === "run-start") this.#sweep();
    else if (type === "step-end" && event.ok) this.#failing.delete(run);
    else if (type === "step-end") {
      this.#failing.add(run);
      this.keep(id, event.error, event);
    } else if (type === "run-end" && event.ended === "failed" && !this.#failing.has(run))
      this.keep(id, event.error, { run });
  }

  keep(id: string, error: unknown, { run, step, attempt }: Partial<ObservedThrow> & Pick<ObservedThrow, "run">): void {
    if (this.#isClosed || this.#waiting >= MAX_WAITING) return;
    const at = Date.now();
    const where = step && { step: step.name, callId: step.callId, tool: step.call?.name };
    const cause = { at, until: at + this.#forMs, runId: run.runId, turn: step?.turn ?? 0, ...where, attempt };
    // Plain data, except for undefined members, which JSON omits.
    const entry = { v: 1, type: "cause", ...cause, error: this.#describe(error, 1) } as unknown as Json;
    this.#do(() => this.#append(causesOf(id) + run.runId, entry));
    this.#sweep();
  }

  close(): void {
    this.#isClosed = true;
  }

  flush(): Promise<void> {
    return this.#writing;
  }

  #do(work: () => Promise<unknown>): void {
    this.#waiting++;
    this.#writing = this.#writing
      .then(work)
      .catch(this.#failed)
      .then(() => void this.#waiting--);
  }

  #sweep(): void {
    const now = Date.now();
    if (this.#isClosed || now - this.#sweptAt < Math.min(this.#forMs, SWEEP_MS)) return;
    this.#sweptAt = now;
    this.#do(() => this.#store.deleteSessions({ prefix: CAUSES, updatedBefore: now - this.#forMs }));
  }

  async #append(id: string, entry: Json): Promise<void> {
    for (let conflicts = 0; ; conflicts++) {
      const { length } = await this.#store.load(id);
      if (length >= MAX_CAUSES) return;
      try {
        return await this.#store.append(id, length, [entry]);
      } catch (error) {
        if (!(error instanceof SessionConflictError) || conflicts >= MAX_CAUSES) throw error;
      }
    }
  }

  /** Describes any thrown value, whose getters may throw. */
  #describe(thrown: unknown, depth: number): CauseError {
    const text = (whole: unknown): string =>
      typeof whole === "string" ? redact(whole.slice(0, MAX_TEXT), this.#secrets, { truncated: true }) : "";
    // By its members: the error may come from another realm.
    const { name, message, stack, cause, errors } = tryOr<{ readonly [member: string]: unknown }>(() => {
      const given = asObject(thrown);
      return {
        name: given["name"],
        message: given["message"],
        stack: given["stack"],
        cause: given["cause"],
        errors: given["errors"],
      };
    }, {});
    if (typeof message !== "string")
      return {
        name: typeof thrown,
        message: text(typeof thrown === "string" ? thrown : tryOr(() => JSON.stringify(thrown), "")),
      };
    const inner: unknown = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
    return {
      name: text(name),
      message: text(message),
      ...(typeof stack === "string" && { stack: text(stack) }),
      ...(inner !== undefined && depth < MAX_DEPTH && { cause: this.#describe(inner, depth + 1) }),
    };
  }
}

/**
 * The causes that `keepExchanges` kept for a run, oldest first, without expired ones.
 *
 * @param id - Id of the session; for a run without one, the run's id.
 * @param runId - Id of the run; a run inside a call has its own.
 */
export async function readCauses(
  store: Pick<SessionStore, "load">,
  id: string,
  runId: string,
): Promise<readonly KeptCause[]> {
  const now = Date.now();
  const entries: readonly unknown[] = await store.load(causesOf(id) + runId);
  return entries.filter(isCause).filter(({ until }) => until > now);
}

function isCause(value: unknown): value is KeptCause {
  if (!isObject(value) || value["v"] !== 1 || value["type"] !== "cause") return false;
  const { at, until, turn, error } = value;
  const areNumbers = [at, until, turn].every((one) => typeof one === "number");
  return areNumbers && isObject(error) && typeof error["name"] === "string" && typeof error["message"] === "string";
}
