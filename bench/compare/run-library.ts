import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Ending, Seen, Verdict } from "./case.ts";
import type { Stub } from "./stub.ts";

/** A run that takes longer has no end. Slow retries of some libraries take half a minute. */
const LIMIT_MS = 90_000;

/** The verdicts on one library, by row. */
export type Column = Readonly<Record<string, Cell>>;

/** One outcome, and another one if a setting that is off by default changes it. */
export interface Cell extends Verdict {
  readonly tuned?: Verdict & { readonly setting: string };
}

interface Worker {
  readonly process: ChildProcess;
  /** Settings of the driver, by case. */
  readonly settings: Readonly<Record<string, string>>;
}

const NOTHING = { result: undefined, inputs: [], together: 0 };

/** What the worker answers with. */
interface Report {
  readonly result?: Ending | undefined;
  readonly error?: string | undefined;
  readonly inputs: readonly unknown[];
  readonly together: number;
}

/**
 * Plays each case to one library.
 *
 * @param url - Module that exports the library's `run`.
 * @param saw - Called with what was seen of each case, for looking at a verdict's reason.
 */
export async function runLibrary(
  url: string,
  cases: readonly Case[],
  stub: Stub,
  saw: (one: Case, seen: Seen) => void = () => {},
): Promise<Column> {
  const column: Record<string, Cell> = {};
  let running = await start(url);
  const { settings } = running;
  const see = async (one: Case, tuned: boolean): Promise<Seen> => {
    // A process that a library ended, now or after its last case.
    if (!running.process.connected) running = await start(url);
    const { base, asked } = stub.play(one);
    const { model, search, tool } = one;
    const report = await play(running.process, { base, model, search, tool, tuned });
    const isLost = typeof report === "string";
    if (isLost && running.process.connected) {
      running.process.disconnect();
      running.process.kill("SIGKILL");
    }
    const { result, error, inputs, together } = isLost
      ? { error: report, ...NOTHING }
      : { result: undefined, ...report };
    const seen = { result, error, isLost, inputs, together, asked };
    saw(one, seen);
    return seen;
  };
  try {
    for (const one of cases) {
      const seen = await see(one, false);
      for (const row of one.rows) column[row.id] = row.judge(seen);
      const setting = settings[one.id];
      if (setting !== undefined) addTuned(column, one, await see(one, true), setting);
    }
  } finally {
    running.process.kill("SIGKILL");
  }
  return column;
}

function addTuned(column: Record<string, Cell>, one: Case, seen: Seen, setting: string): void {
  for (const row of one.rows) {
    const before = column[row.id];
    const tuned = row.judge(seen);
    if (before !== undefined && (tuned.met !== before.met || tuned.says !== before.says))
      column[row.id] = { ...before, tuned: { ...tuned, setting } };
  }
}

async function start(url: string): Promise<Worker> {
  const worker = fork(join(import.meta.dirname, "worker.mjs"), [url], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Under vitest as well, Pollux is loaded from its sources.
    execArgv: ["--conditions=pollux-source"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let errors = "";
  worker.stderr?.on("data", (text: Buffer) => {
    errors = `${errors}${text.toString()}`.slice(-2_000);
  });
  const gone = once(worker, "exit").then(() => {
    throw new Error(`The driver ${url} cannot be loaded:\n${errors}`);
  });
  gone.catch(() => {});
  // The worker's first message, after its driver is loaded.
  const [{ settings }] = (await Promise.race([once(worker, "message"), gone])) as [Pick<Worker, "settings">];
  return { process: worker, settings };
}

/** What the worker reports, or in a few words why it reports nothing. */
async function play(worker: ChildProcess, job: object): Promise<Report | string> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(worker, "exit", { signal }).then(() => "the process ends");
  const late = sleep(LIMIT_MS, "no end", { signal });
  // The worker sends nothing but reports once it is ready.
  const said = once(worker, "message", { signal }).then(([report]) => report as Report);
  worker.send(job);
  try {
    return await Promise.race([said, ended, late]);
  } finally {
    over.abort();
    await Promise.allSettled([said, ended, late]);
  }
}
