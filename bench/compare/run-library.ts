import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Ending, Seen, Verdict } from "./case.ts";
import type { Library } from "./libraries.ts";
import type { Stub } from "./stub.ts";

/** A run that takes longer has no end. Slow retries of some libraries take half a minute. */
const LIMIT_MS = 90_000;
/** From the last chunk of an answer to the person who stops it. */
const STOP_AFTER_MS = 500;

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
  /** What the library has no means for, by case. */
  readonly absent: Readonly<Record<string, string>>;
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
 * @param saw - Called with what was seen of each case, for looking at a verdict's reason.
 */
export async function runLibrary(
  library: Pick<Library, "url" | "plays">,
  cases: readonly Case[],
  stub: Stub,
  saw: (one: Case, seen: Seen) => void = () => {},
): Promise<Column> {
  const column: Record<string, Cell> = {};
  let running = await start(library);
  const { settings, absent } = running;
  const see = async (one: Case, tuned: boolean): Promise<Seen> => {
    const { id, model, search, tool, scenes = 0 } = one;
    const folder = scenes > 0 ? mkdtempSync(join(tmpdir(), "pollux-compare-")) : "";
    const { base, asked } = stub.play(one, (held) => {
      const { process } = running;
      if (held === "crash") process.kill("SIGKILL");
      else setTimeout(() => process.connected && process.send({ stop: true }), STOP_AFTER_MS);
    });
    let report: Report | string = "no scene";
    for (let scene = Math.min(1, scenes); scene <= scenes; scene++) {
      if (scene > 1) end(running);
      // A process that a library ended, now or after its last case.
      if (!running.process.connected) running = await start(library);
      report = await play(running.process, { id, base, model, search, tool, tuned, folder, scene });
      if (typeof report === "string") end(running);
    }
    const notes = existsSync(join(folder, "notes")) ? readFileSync(join(folder, "notes"), "utf8").split("\n") : [];
    if (folder !== "") rmSync(folder, { recursive: true });
    const isLost = typeof report === "string";
    const rest = typeof report === "string" ? { error: report, ...NOTHING } : { result: undefined, ...report };
    const seen = { error: undefined, ...rest, isLost, notes, asked };
    saw(one, seen);
    return seen;
  };
  try {
    for (const one of cases) {
      const says = absent[one.id];
      const seen = says === undefined ? await see(one, false) : undefined;
      for (const row of one.rows) column[row.id] = seen ? row.judge(seen) : { met: "untested", says: says ?? "" };
      const setting = settings[one.id];
      if (setting !== undefined) addTuned(column, one, await see(one, true), setting);
    }
  } finally {
    end(running);
  }
  return column;
}

function end({ process }: Worker): void {
  if (process.connected) process.disconnect();
  process.kill("SIGKILL");
}

function addTuned(column: Record<string, Cell>, one: Case, seen: Seen, setting: string): void {
  for (const row of one.rows) {
    const before = column[row.id];
    const tuned = row.judge(seen);
    if (before !== undefined && (tuned.met !== before.met || tuned.says !== before.says))
      column[row.id] = { ...before, tuned: { ...tuned, setting } };
  }
}

async function start({ url, plays }: Pick<Library, "url" | "plays">): Promise<Worker> {
  const worker = fork(join(import.meta.dirname, "worker.mjs"), [url, plays], {
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
  const [{ settings, absent }] = (await Promise.race([once(worker, "message"), gone])) as [Omit<Worker, "process">];
  return { process: worker, settings, absent };
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
