import { RunReleasedError, SessionRunningError } from "../errors/session-errors.ts";
import { sleep, whenAborted } from "../internal/abort.ts";
import { checkAtLeast, checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
import type { RunRecord } from "../session/log/run-record.ts";
import type { SessionFilter, SessionStore, SessionSummary } from "../session/store/store.ts";
import { nextCheckAt } from "../tool/job.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { OutputSchema, RunOptions, SessionOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** Options of {@link pollJobs}. */
export interface PollJobsOptions<Context = unknown> extends Pick<SessionFilter, "owner" | "prefix" | "metadata"> {
  /** Has the tools, and continues the runs. */
  readonly agent: {
    session(options: SessionOptions): Session<Context, ToolCall, OutputSchema | undefined>;
  };
  readonly store: SessionStore;
  /** Ends the polling. Its runs in progress are released, for other processes to continue. */
  readonly signal: AbortSignal;
  /** Called with each error; polling continues. Without an id, the store could not be read. A failed run can be resumed like any other. */
  readonly onError: (error: unknown, sessionId?: string) => void;
  /** Returns the options of a session's run that are not stored, such as its context. @defaultValue none */
  readonly options?: ((session: SessionSummary) => RunOptions<undefined, Context>) | undefined;
  /** Milliseconds between two reads of the store. @defaultValue 5_000 */
  readonly everyMs?: number | undefined;
  /** How many sessions are checked or continued at once. @defaultValue 8 */
  readonly concurrency?: number | undefined;
}

const OPTIONS: OptionNames<PollJobsOptions> = namesIn(
  "agent store signal onError options everyMs concurrency owner prefix metadata",
);

/** The most sessions that are listed at once. */
const PAGE = 100;

interface LastLook {
  readonly updatedAt: number;
  readonly checkedAt?: number | undefined;
  /** When to look at the session again, if it does not change. */
  readonly at: number;
}

/**
 * Checks the jobs that the sessions of a store wait for, stores progress and outcomes, and continues the runs, until the signal aborts.
 * Several processes may poll the same store: a job may then be checked more often, but each outcome is used once.
 *
 * @throws {TypeError} For invalid options.
 */
export async function pollJobs<Context = unknown>(options: PollJobsOptions<Context>): Promise<void> {
  checkOptions("pollJobs()", options, OPTIONS);
  const { agent, store, signal, onError, everyMs = 5_000, concurrency = 8, owner, prefix, metadata } = options;
  checkAtLeast("everyMs", everyMs, 1);
  checkAtLeast("concurrency", concurrency, 1);
  const looked = new Map<string, LastLook>();
  const tasks = new Map<string, { readonly over: Promise<void>; readonly release: () => Promise<boolean> }>();

  const look = (summary: SessionSummary): void => {
    const { id, updatedAt } = summary;
    const session = agent.session({ id, store });
    const { checkedAt } = looked.get(id) ?? {};
    const over = (async () => {
      try {
        const { log } = await session.watched().open();
        await log.refresh();
        const { run } = log.view;
        const now = Date.now();
        const at = run === undefined ? Infinity : dueAt(run, checkedAt);
        looked.set(id, { updatedAt, checkedAt, at });
        if (at > now) return;
        looked.set(id, { updatedAt, checkedAt: now, at: 0 });
        // `options` is typed by the caller.
        const untyped = session as unknown as { continue(run: unknown): Promise<unknown> };
        await untyped.continue(options.options?.(summary) ?? {});
      } catch (error) {
        // Another caller, here or elsewhere, continues the run.
        if (!(error instanceof SessionRunningError || error instanceof RunReleasedError)) onError(error, id);
      } finally {
        tasks.delete(id);
      }
    })();
    tasks.set(id, { over, release: () => session.release() });
  };

  let stopListening = (): void => {};
  const aborted = new Promise<void>((resolve) => (stopListening = whenAborted(signal, resolve)));
  while (!signal.aborted) {
    try {
      const seen = new Set<string>();
      let after: SessionSummary | undefined;
      do {
        const page = await store.list({ state: "waiting", order: "id", limit: PAGE, after, owner, prefix, metadata });
        for (const summary of page) {
          const { id, updatedAt } = summary;
          const known = looked.get(id);
          seen.add(id);
          if (tasks.has(id) || (known?.updatedAt === updatedAt && known.at > Date.now())) continue;
          if (tasks.size >= concurrency) await Promise.race([aborted, ...[...tasks.values()].map(({ over }) => over)]);
          if (signal.aborted) break;
          look(summary);
        }
        after = page.length < PAGE || signal.aborted ? undefined : page.at(-1);
      } while (after !== undefined);
      // Forget sessions that no longer wait.
      if (!signal.aborted) for (const id of looked.keys()) if (!seen.has(id) && !tasks.has(id)) looked.delete(id);
    } catch (error) {
      onError(error);
    }
    await sleep(everyMs, signal).catch(() => {});
  }
  stopListening();
  // A run may still begin after its job was checked.
  while (tasks.size > 0) {
    const pause = new AbortController();
    const runs = [...tasks.values()];
    for (const { release } of runs) release().catch((error: unknown) => onError(error));
    await Promise.race([...runs.map(({ over }) => over), sleep(50, pause.signal).catch(() => {})]);
    pause.abort();
  }
}

/** When to check the jobs of a waiting run; 0 when it can continue. */
function dueAt({ end, jobs }: RunRecord, checkedAt: number | undefined): number {
  if (end?.pending === undefined || jobs.size === 0) return Infinity;
  // Everything is answered, and no process has continued the run.
  if (end.pending.length === 0) return 0;
  const due = end.pending.flatMap(({ job }) => {
    if (job === undefined) return [];
    const { since, everyMs, until = Infinity } = job;
    return Math.min(until, everyMs === undefined ? Infinity : nextCheckAt({ since, everyMs }, checkedAt));
  });
  return Math.min(...due, Infinity);
}
