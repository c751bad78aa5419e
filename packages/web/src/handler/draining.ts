import { HttpError } from "@pollux/core/serving";
import type { Session } from "@pollux/core";
import { RunReleasedError } from "@pollux/core/errors";
import type { GoingRun } from "./going-run.ts";

/** How long draining may take. */
export interface DrainOptions {
  /**
   * How long runs may continue, to end by themselves, in milliseconds. Runs that have not ended by then are released.
   * @defaultValue 5_000
   */
  readonly finishMs?: number | undefined;
  /**
   * How long draining takes in all, in milliseconds: until then it waits for the `once` calls of released runs. Leave it below the time
   * between SIGTERM and SIGKILL on your platform. @defaultValue 8_000
   */
  readonly timeoutMs?: number | undefined;
  /** Ends both waits at once. */
  readonly signal?: AbortSignal | undefined;
}

/** What happened to the active runs. */
export interface Drained {
  /** Runs that ended by themselves. */
  readonly ended: number;
  /** Runs that were left to other processes, which continue them where they stopped. */
  readonly released: number;
}

/** A session of this process and its runs here. */
export interface UsedSession {
  readonly session: Pick<Session, "release">;
  readonly runs: ReadonlySet<GoingRun>;
}

/** A response that shows a run while it goes. */
export interface ShownStream extends Pick<UsedSession, "runs"> {
  /** Breaks it off: the page reconnects, to another process. */
  readonly leave: (reason: unknown) => void;
}

/** Leaves the runs of this process, and those who follow them, to other processes. */
export class Draining {
  readonly #sessions: () => readonly UsedSession[];
  readonly #streams: Set<ShownStream> = new Set();
  #drained: Promise<Drained> | undefined;
  #streamClosed: () => void = () => {};

  constructor(sessions: () => readonly UsedSession[]) {
    this.#sessions = sessions;
  }

  /** Counts a response in. @returns Called when it is closed. */
  add(stream: ShownStream): () => void {
    this.#streams.add(stream);
    return () => {
      this.#streams.delete(stream);
      this.#streamClosed();
    };
  }

  /** @throws {HttpError} When this process no longer begins or shows runs. */
  check(): void {
    if (this.#drained !== undefined) throw drainingError();
  }

  /** Resolves when no run is going. Begins once. @throws {TypeError} For a limit that is not a number of milliseconds. */
  async drain(options: DrainOptions): Promise<Drained> {
    checkDrainOptions(options);
    const { finishMs = 5_000, timeoutMs = 8_000, signal } = options;
    return await (this.#drained ??= this.#drain(finishMs, timeoutMs, signal));
  }

  async #drain(finishMs: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<Drained> {
    const runs = this.#sessions().flatMap((one) => [...one.runs]);
    const over = Promise.all(runs.map((run) => run.over));
    // These follow runs of other processes.
    for (const stream of this.#streams) if (stream.runs.size === 0) stream.leave(drainingError());
    // Readers of a run that ends in time get the end of its answer.
    await within(Promise.all([over, this.#untilNoStreams()]), finishMs, signal);
    for (const stream of this.#streams) stream.leave(drainingError());
    const limit = new AbortController();
    const released = Promise.all(this.#sessions().map(({ session }) => session.release({ signal: limit.signal })));
    await within(released, timeoutMs - finishMs, signal);
    limit.abort();
    await Promise.all([released, over]);
    const left = runs.filter(({ failure }) => failure?.error instanceof RunReleasedError).length;
    return { ended: runs.length - left, released: left };
  }

  async #untilNoStreams(): Promise<void> {
    while (this.#streams.size > 0) await new Promise<void>((resolve) => (this.#streamClosed = resolve));
  }
}

/** @throws {TypeError} */
export function checkDrainOptions({ finishMs = 0, timeoutMs = 0 }: DrainOptions): void {
  for (const [name, ms] of Object.entries({ finishMs, timeoutMs }))
    if (!(ms >= 0 && ms < 2 ** 31)) throw new TypeError(`${name} must be a number of milliseconds, got ${ms}`);
}

/** The answer to a request that another process has to serve. */
export function drainingError(): HttpError {
  return new HttpError(503, "draining", "This server is restarting. Send the request again in a moment.", {
    "retry-after": "1",
  });
}

/** Resolves when the work is done, the time is over, or the signal aborts. */
async function within(work: Promise<unknown>, ms: number, signal: AbortSignal | undefined): Promise<void> {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const timer = setTimeout(end, ms);
  signal?.addEventListener("abort", end);
  if (signal?.aborted === true) end();
  await Promise.race([work, ended]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", end);
}
