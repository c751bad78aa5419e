import { type Program, startProgram } from "./children.ts";
import type { WorkerSaid, WorkerSetup } from "./worker-messages.ts";

/** The workers of one place, by name. */
export interface Workers {
  readonly running: ReadonlyMap<string, Program<WorkerSaid>>;
  /** @returns Its first message. */
  start(
    name: string,
    setup: WorkerSetup,
    onSaid?: (said: WorkerSaid) => void,
  ): Promise<Extract<WorkerSaid, { is: "ready" }>>;
  kill(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** No workers yet. */
export function openWorkers(): Workers {
  const running = new Map<string, Program<WorkerSaid>>();
  const kill = async (name: string): Promise<void> => {
    const program = running.get(name);
    running.delete(name);
    await program?.kill();
  };
  return {
    running,
    start: async (name, setup, onSaid) => {
      const program = startProgram<WorkerSaid>(
        new URL("./worker-process.ts", import.meta.url),
        { POLLUX_WORKER: JSON.stringify(setup) },
        onSaid,
      );
      running.set(name, program);
      const said = await program.ready;
      if (said.is !== "ready") throw new Error(`the worker ${name} says ${JSON.stringify(said)}`);
      return said;
    },
    kill,
    stop: async () => {
      await Promise.all([...running.keys()].map((name) => kill(name)));
    },
  };
}
