import type { Agent, Content, Json, RunEvent } from "@pollux/core";
import type { Op, Outcome, Step, Steps } from "@pollux/core/durable";
import { type EngineRunInput, type RunReport, settleStep, waitTimedOut } from "@pollux/core/durable";
import { type EngineContext, type EngineEvent, runOnEngine } from "@pollux/engine";
import type { StepsProgram, StepsWorld } from "@pollux/conformance";

/** Thrown by a round that did something new: the run begins from its start. */
class Restart extends Error {}

/** What a cancelled run's rounds reject with. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** What is on the disk of this engine. */
interface Kept {
  readonly rounds: string[];
  readonly outcomes: Map<string, string>;
  readonly begun: Map<string, { readonly at: number; readonly by: number }>;
  readonly answers: Map<string, string>;
  readonly said: (readonly Content[])[];
  /** Takes no more messages. */
  closed: boolean;
  cancelled: boolean;
}

/** What is in memory of a run that is going. */
interface Going {
  readonly kept: Kept;
  readonly abort: AbortController;
  readonly wake: Set<() => void>;
  readonly children: Set<string>;
}

type Kind<Name extends Op["kind"]> = Extract<Op<RunEvent>, { kind: Name }>;

/**
 * A durable engine of the strictest kind, in memory: everything it keeps is text, rounds have to be the same each time, and it can
 * begin a run anew after every round that did something. Runs wait in place, can be spoken to and cancelled, and have children.
 */
export class MemoryEngine implements StepsWorld {
  readonly #disk = new Map<string, Kept>();
  readonly #programs = new Map<string, StepsProgram>();
  readonly #agents = new Map<string, Agent>();
  readonly #restarting: boolean;
  readonly #maxBytes: number | undefined;
  readonly #context: EngineContext<unknown> | undefined;
  #going = new Map<string, Going>();
  /** Counts crashes: what belongs to an earlier process does nothing any more. */
  #process = 0;
  /** Runs that were begun from their start again. */
  restarts = 0;
  readonly events: EngineEvent[] = [];
  /** Called when a run is about to finish. */
  beforeWaits: (() => void) | undefined;

  constructor(
    options: {
      readonly restarting?: boolean;
      readonly maxBytes?: number;
      readonly context?: EngineContext<unknown>;
    } = {},
  ) {
    this.#restarting = options.restarting ?? false;
    this.#maxBytes = options.maxBytes;
    this.#context = options.context;
  }

  /** An agent that runs as children of its name. */
  serve(agent: Agent): void {
    this.#agents.set(agent.name, agent);
    this.child(agent.name, (steps, { signal, input }) =>
      onEngine(agent, steps, signal, input, this.#agents, this.#context),
    );
  }

  /** A run of an agent. */
  async start(agent: Agent, runId: string, start: EngineRunInput): Promise<RunReport> {
    const input = JSON.parse(JSON.stringify(start)) as Json;
    return (await this.run(runId, (steps, { signal }) =>
      onEngine(agent, steps, signal, input, this.#agents, this.#context),
    )) as unknown as RunReport;
  }

  child(agent: string, program: StepsProgram): void {
    this.#programs.set(agent, program);
  }

  run(runId: string, program: StepsProgram): Promise<Json> {
    return this.#run(runId, program, null);
  }

  async answer(runId: string, name: string, value: Json): Promise<void> {
    this.#keptOf(runId).answers.set(name, JSON.stringify(value));
    this.#wake(runId);
  }

  async steer(runId: string, contents: readonly Content[]): Promise<void> {
    const kept = this.#keptOf(runId);
    if (kept.closed) throw new Error(`run "${runId}" is over`);
    kept.said.push(contents);
  }

  async cancel(runId: string): Promise<void> {
    this.#keptOf(runId).cancelled = true;
    const going = this.#going.get(runId);
    going?.abort.abort(new Cancelled("cancelled"));
    this.#wake(runId);
    for (const child of going?.children ?? []) await this.cancel(child);
  }

  async reopen(): Promise<void> {
    this.#process++;
    this.#going = new Map();
  }

  /** Names of the operations that are recorded, oldest first. */
  recorded(runId: string): string[] {
    return [...this.#keptOf(runId).outcomes.keys()];
  }

  #keptOf(runId: string): Kept {
    const kept = this.#disk.get(runId) ?? {
      rounds: [],
      outcomes: new Map(),
      begun: new Map(),
      answers: new Map(),
      said: [],
      closed: false,
      cancelled: false,
    };
    this.#disk.set(runId, kept);
    return kept;
  }

  #wake(runId: string): void {
    for (const wake of this.#going.get(runId)?.wake ?? []) wake();
  }

  async #run(runId: string, program: StepsProgram, input: Json): Promise<Json> {
    for (;;) {
      const going: Going = {
        kept: this.#keptOf(runId),
        abort: new AbortController(),
        wake: new Set(),
        children: new Set(),
      };
      this.#going.set(runId, going);
      let restart: unknown;
      const steps = this.#steps(runId, going, (error) => (restart = error));
      try {
        const result = await program(steps, { signal: going.abort.signal, input });
        if (restart === undefined) return JSON.parse(JSON.stringify(result)) as Json;
      } catch (error) {
        if (restart === undefined) throw error;
      }
      this.restarts++;
    }
  }

  #steps(runId: string, going: Going, onRestart: (error: unknown) => void): Steps<RunEvent> {
    const { kept } = going;
    const process = this.#process;
    let index = 0;
    return {
      runId,
      children: new Set(this.#programs.keys()),
      steering: {
        take: async (after) =>
          kept.said.length > after ? { contents: kept.said.slice(after).flat(), upTo: kept.said.length } : undefined,
        waits: async (after) => {
          this.beforeWaits?.();
          const name = `waits:${index++}`;
          const known = kept.outcomes.get(name) ?? String(kept.said.length > after);
          kept.outcomes.set(name, known);
          kept.closed = known === "false";
          return known === "true";
        },
        close: async (after) => {
          kept.closed = true;
          return kept.said.slice(after).flat();
        },
      },
      round: async (ops) => {
        const names = ops.map(({ kind, name }) => `${kind} ${name}`).join(", ");
        const at = index++;
        kept.rounds[at] ??= names;
        if (kept.rounds[at] !== names) throw new Error(`round ${at} was "${kept.rounds[at]}" and is "${names}"`);
        if (new Set(ops.map(({ name }) => name)).size < ops.length) throw new Error(`a name is there twice: ${names}`);
        const fresh = ops.filter(({ name }) => !kept.outcomes.has(name));
        await Promise.all(fresh.map((op) => this.#settle(op, runId, going, process)));
        if (kept.cancelled) throw new Cancelled("cancelled");
        if (fresh.length > 0 && this.#restarting) {
          const restart = new Restart();
          onRestart(restart);
          throw restart;
        }
        return ops.map(({ name }) => JSON.parse(kept.outcomes.get(name) ?? "null") as Outcome);
      },
    };
  }

  /** Leaves the operation's outcome, unless the run is cancelled. */
  async #settle(op: Op<RunEvent>, runId: string, going: Going, process: number): Promise<void> {
    const { kept } = going;
    const outcome = await this.#outcome(op, runId, going).catch((error: unknown) => {
      if (!kept.cancelled) throw error;
    });
    if (process !== this.#process) return await new Promise<never>(() => {});
    if (outcome !== undefined) kept.outcomes.set(op.name, JSON.stringify(outcome));
  }

  #outcome(op: Op<RunEvent>, runId: string, going: Going): Promise<Outcome | undefined> {
    switch (op.kind) {
      case "step":
        return this.#step(op, runId, going);
      case "wait":
        return this.#wait(op, going);
      case "child":
        return this.#child(op, runId, going);
    }
  }

  #begun(kept: Kept, name: string): { readonly at: number; readonly by: number } {
    const begun = kept.begun.get(name) ?? { at: Date.now(), by: this.#process };
    kept.begun.set(name, begun);
    return begun;
  }

  #step(op: Kind<"step">, runId: string, { kept, abort }: Going): Promise<Outcome> {
    const attempt = op.once === true && this.#begun(kept, op.name).by !== this.#process ? 2 : 1;
    let seq = 0;
    const step: Step<RunEvent> = {
      key: `${runId}/${op.name}`,
      attempt,
      signal: abort.signal,
      emit: async (event) => void this.events.push({ runId, step: op.name, attempt, seq: seq++, event }),
    };
    return settleStep(op, step, { maxBytes: this.#maxBytes });
  }

  async #wait({ name, timeoutMs }: Kind<"wait">, { kept, wake }: Going): Promise<Outcome | undefined> {
    const { at } = this.#begun(kept, name);
    for (;;) {
      const answer = kept.answers.get(name);
      if (answer !== undefined) return { ok: true, value: JSON.parse(answer) as Json };
      if (kept.cancelled) return undefined;
      if (timeoutMs !== undefined && Date.now() >= at + timeoutMs) return waitTimedOut(name, timeoutMs);
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, at + timeoutMs - Date.now());
        const awake = (): void => {
          clearTimeout(timer);
          wake.delete(awake);
          resolve();
        };
        wake.add(awake);
      });
    }
  }

  async #child({ name, agent, input }: Kind<"child">, runId: string, going: Going): Promise<Outcome> {
    const program = this.#programs.get(agent);
    if (program === undefined) return { ok: false, error: { name: "Error", message: `nobody serves ${agent}` } };
    const id = `${runId}:${name}`;
    going.children.add(id);
    try {
      return { ok: true, value: await this.#run(id, program, JSON.parse(JSON.stringify(input)) as Json) };
    } catch (error) {
      return { ok: false, error: { name: "Error", message: String(error) } };
    }
  }
}

async function onEngine(
  agent: Agent,
  steps: Steps<RunEvent>,
  signal: AbortSignal,
  input: Json,
  agents: ReadonlyMap<string, Agent>,
  context: EngineContext<unknown> | undefined,
): Promise<Json> {
  // An EngineRunInput and a RunReport are JSON.
  const start = input as unknown as EngineRunInput;
  return (await runOnEngine(agent, start, {
    runId: steps.runId,
    steps: () => steps,
    signal,
    agents,
    ...(context !== undefined && { context }),
  })) as unknown as Json;
}
