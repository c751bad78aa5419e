import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answered, Asked, Ended, EnginePlace, Missing } from "./engine-place.ts";
import { type Later, later } from "./later.ts";
import { messageOf } from "./plans.ts";
import type { WorkerOrder, WorkerSaid } from "./worker-messages.ts";
import { openWorkers } from "./workers.ts";

interface Run {
  readonly input: string;
  /** Milliseconds of a nap; absent for runs of agents. */
  readonly napMs?: number | undefined;
  worker: string | undefined;
  waiting: readonly Asked[];
  answers: (Answered & { readonly callId: string })[];
  readonly ended: Later<Ended>;
  over: boolean;
}

const NONE = "nothing is kept, a run ends with its process";

const NOTHING_KEPT: Missing = {
  "killed at every step": NONE,
  "killed at random": NONE,
  "one of two workers killed": NONE,
  "approval while all is down": NONE,
  "changed code": NONE,
  "waits that time out": "nobody can answer: a run that asks ends",
  "sleep across a crash": NONE,
  "once calls across a kill": NONE,
  "jobs across a kill": NONE,
};

/**
 * The library's own journal: sessions in a store of files, or plain runs without a store. It has no queue: this place knows the runs, and
 * assigns runs without a process to the workers.
 */
export async function journalPlace(kind: "none" | "jsonl" | "sqlite", outside: string): Promise<EnginePlace> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-engines-"));
  const on = kind === "none" ? { kind } : { kind, path: join(folder, kind === "jsonl" ? "runs" : "runs.db") };
  const workers = openWorkers();
  const runs = new Map<string, Run>();
  let turn = 0;

  function of(run: string): Run {
    const known = runs.get(run);
    if (known === undefined) throw new Error(`there is no run ${run}`);
    return known;
  }

  function add(run: string, input: string, napMs?: number): void {
    runs.set(run, {
      input,
      napMs,
      worker: undefined,
      waiting: [],
      answers: [],
      ended: later(),
      over: false,
    });
    dispatch();
  }

  /** Assigns runs without a process to the workers in turn; waiting runs need an answer or a wake-up. */
  function dispatch(): void {
    const names = [...workers.running.keys()];
    for (const [name, run] of runs) {
      if (run.over || run.worker !== undefined || (run.waiting.length > 0 && run.answers.length === 0)) continue;
      const worker = names[turn++ % names.length];
      if (worker === undefined) return;
      give(worker, name, run);
    }
  }

  function give(worker: string, name: string, run: Run): void {
    run.worker = worker;
    const { input, napMs, answers } = run;
    const order: WorkerOrder =
      napMs === undefined ? { do: "take", run: name, input, answers } : { do: "nap", run: name, ms: napMs };
    run.waiting = [];
    run.answers = [];
    workers.running.get(worker)?.send(order);
  }

  function hear(said: WorkerSaid): void {
    // Its run will hang; this explains why.
    if (said.is === "broken") console.error(`${kind}: a worker is broken: ${said.message}`);
    if (said.is !== "waiting" && said.is !== "ended") return;
    const run = of(said.run);
    run.worker = undefined;
    if (said.is === "waiting") {
      run.waiting = said.asked;
      dispatch(); // an answer may have come in the meantime
      return;
    }
    run.over = true;
    run.ended.resolve(said.ended);
  }

  async function killWorker(name: string): Promise<void> {
    await workers.kill(name);
    for (const run of runs.values()) if (run.worker === name) run.worker = undefined;
    dispatch();
  }

  return {
    name: { none: "pass-through", jsonl: "journal, JSONL", sqlite: "journal, SQLite" }[kind],
    missing: { "engine killed": "there is no engine but the process itself", ...(kind === "none" && NOTHING_KEPT) },
    notes: { "over-size values": "kept whole; the service refuses what is too long" },
    start: async (run, plan) => add(run, messageOf(run, plan)),
    nap: async (run, ms) => add(run, "", ms),
    pending: async (run) => of(run).waiting,
    answer: async (run, callId, answer) => {
      of(run).answers.push({ callId, ...answer });
      dispatch();
    },
    wake: (name) => {
      const run = of(name);
      const [worker] = workers.running.keys();
      if (worker !== undefined && !run.over && run.worker === undefined) give(worker, name, run);
    },
    cancel: async (name) => {
      const run = of(name);
      workers.running.get(run.worker ?? "")?.send({ do: "abort", run: name } satisfies WorkerOrder);
      return await run.ended.promise;
    },
    report: (run) => of(run).ended.promise,
    startWorker: async (name, { code = "old" } = {}) => {
      await workers.start(name, { on, outside, code }, hear);
      dispatch();
    },
    killWorker,
    stopWorkers: async () => {
      await workers.stop();
      for (const run of runs.values()) run.worker = undefined;
    },
    close: async () => {
      await workers.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
