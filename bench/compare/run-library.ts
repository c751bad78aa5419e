import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Case, Ending, Seen, Verdict } from "./case.ts";
import type { Stub } from "./stub.ts";

/** A run that takes longer has no end. Slow retries of some libraries take half a minute. */
const LIMIT_MS = 90_000;

/** The verdicts on one library, by row. */
export type Column = Readonly<Record<string, Verdict>>;

/** What the worker answers with. */
interface Report {
  readonly result?: Ending;
  readonly error?: string;
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
  const column: Record<string, Verdict> = {};
  let worker: ChildProcess | undefined;
  try {
    for (const one of cases) {
      worker ??= await start(url);
      const { base, asked } = stub.play(one);
      const report = await play(worker, { base, model: one.model, search: one.search === true, tool: one.tool });
      if (typeof report === "string") {
        worker.kill("SIGKILL");
        worker = undefined;
      }
      const seen: Seen =
        typeof report === "string"
          ? { result: undefined, error: report, inputs: [], together: 0, asked }
          : { result: report.result, error: report.error, inputs: report.inputs, together: report.together, asked };
      saw(one, seen);
      for (const { id, judge } of one.rows) column[id] = judge(seen);
    }
  } finally {
    worker?.kill("SIGKILL");
  }
  return column;
}

async function start(url: string): Promise<ChildProcess> {
  const worker = fork(join(import.meta.dirname, "worker.mjs"), [url], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let errors = "";
  worker.stderr?.on("data", (text: Buffer) => {
    errors = `${errors}${text.toString()}`.slice(-2_000);
  });
  const gone = once(worker, "exit").then(() => {
    throw new Error(`The driver ${url} cannot be loaded:\n${errors}`);
  });
  await Promise.race([once(worker, "message"), gone]);
  gone.catch(() => {});
  return worker;
}

/** What the worker reports, or in a few words why it reports nothing. */
async function play(worker: ChildProcess, job: object): Promise<Report | string> {
  const { promise, resolve } = Promise.withResolvers<Report | string>();
  const ended = (): void => resolve("the process ends");
  const timer = setTimeout(() => resolve("no end"), LIMIT_MS);
  // The worker sends nothing but reports once it is ready.
  worker.once("message", (report) => resolve(report as Report)).once("exit", ended);
  try {
    worker.send(job);
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off("exit", ended);
  }
}
