import type { RunEvent } from "@pollux/core";
import { type Json, nextCheckAt, type Op, settleStep, VALUE_TOO_LARGE } from "@pollux/core/durable";

/** The result of checking some jobs, which an engine records. */
export interface CheckedJobs {
  /** When they were checked, in milliseconds since the epoch. */
  readonly at: number;
  /** Names of the waits that have an answer now, from here or from outside. */
  readonly over: readonly string[];
}

type WaitOp = Extract<Op<RunEvent>, { kind: "wait" }>;

/** The jobs that a round waits for and that can be checked, and when to do so. Depends only on recorded facts. */
export class JobChecks {
  readonly #open = new Map<string, { readonly op: WaitOp; dueAt: number }>();

  constructor(ops: readonly Op<RunEvent>[]) {
    for (const op of ops)
      if (op.kind === "wait" && op.poll !== undefined) this.#open.set(op.name, { op, dueAt: nextOf(op) });
  }

  /** Names of the waits whose jobs to check next, and when; `undefined` when there are none left. */
  next(): { readonly at: number; readonly names: readonly string[] } | undefined {
    if (this.#open.size === 0) return undefined;
    const at = Math.min(...[...this.#open.values()].map(({ dueAt }) => dueAt));
    return { at, names: [...this.#open].flatMap(([name, { dueAt }]) => (dueAt <= at ? [name] : [])) };
  }

  /**
   * Checks a job. Returns the answer to its wait; `undefined` when there is none yet, and when the check failed.
   *
   * @throws The signal's reason, if it aborts: record nothing then.
   */
  async ask(name: string, signal: AbortSignal): Promise<Json | undefined> {
    const poll = this.#open.get(name)?.op.poll;
    const step = { key: name, attempt: 1, signal, emit: () => {} };
    const outcome = await settleStep({ name, run: async () => poll?.check(signal) }, step);
    if (outcome.ok) return outcome.value ?? undefined;
    return outcome.error.code === VALUE_TOO_LARGE ? { error: outcome.error.message } : undefined;
  }

  /** Takes the recorded result of checking the jobs that were due. */
  note({ at, over }: CheckedJobs): void {
    const due = this.next()?.names ?? [];
    for (const name of over) this.#open.delete(name);
    for (const name of due) {
      const job = this.#open.get(name);
      if (job !== undefined) job.dueAt = nextOf(job.op, at);
    }
  }
}

function nextOf({ poll, since = 0 }: WaitOp, last?: number): number {
  return nextCheckAt({ since, everyMs: poll?.everyMs ?? 0 }, last);
}

/** Milliseconds that are left of a wait's time, which may have begun before its round; `undefined` without a limit. */
export function timeLeft({ timeoutMs, since }: WaitOp): number | undefined {
  if (timeoutMs === undefined || since === undefined) return timeoutMs;
  return Math.max(0, since + timeoutMs - Date.now());
}

/** Cancels the jobs that a cancelled round was waiting for, as far as possible. Never rejects. */
export async function cancelJobs(ops: readonly Op<RunEvent>[]): Promise<void> {
  const { signal } = new AbortController();
  await Promise.all(ops.flatMap((op) => (op.kind === "wait" ? (op.cancel?.(signal) ?? []) : [])));
}
