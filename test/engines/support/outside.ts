import { type Program, startProgram } from "./children.ts";
import { type Later, later } from "./later.ts";
import type { Order, Point, Said, Seen } from "./outside-messages.ts";

/** The world outside of the workers: the model and the service that executes items. */
export interface Outside extends AsyncDisposable {
  readonly url: string;
  /** Holds the run when it reaches the point. */
  hold(run: string, point: Point): Promise<void>;
  /** Resolves when the run has reached a holding point. */
  held(run: string, point: Point): Promise<void>;
  /** Releases a run at a point, or at all of its points; without a run, all runs. */
  release(run?: string, point?: Point): Promise<void>;
  /** Sets the milliseconds per answer from now on. */
  pace(ms: number): Promise<void>;
  /** Adds a mark to the observations. */
  mark(mark: string): Promise<void>;
  /** Resolves when no request waits for an answer: all have theirs, or their client is gone. */
  quiet(): Promise<void>;
  /** Observations of the runs whose names start with a prefix, and the marks. */
  seen(prefix: string): Promise<readonly Seen[]>;
}

/** Starts it. */
export async function openOutside(): Promise<Outside> {
  const held = new Map<string, Later<void>>();
  const answers = new Map<number, (said: Extract<Said, { is: "done" }>) => void>();
  let orders = 0;
  const program: Program<Said> = startProgram<Said>(new URL("./outside-process.ts", import.meta.url), {}, (said) => {
    if (said.is === "held") heldAt(said.run, said.point).resolve();
    if (said.is === "done") answers.get(said.id)?.(said);
  });
  const first = await program.ready;
  if (first.is !== "ready") throw new Error("the world outside does not say where it is");

  function heldAt(run: string, point: Point): Later<void> {
    const name = `${run} ${point}`;
    const known = held.get(name) ?? later<void>();
    held.set(name, known);
    return known;
  }

  async function order(what: Order): Promise<Extract<Said, { is: "done" }>> {
    const id = ++orders;
    const { promise, resolve } = later<Extract<Said, { is: "done" }>>();
    answers.set(id, resolve);
    program.send({ ...what, id });
    const died = program.gone.then(() => {
      throw new Error(`the world outside has ended:\n${program.printed()}`);
    });
    died.catch(() => {});
    const said = await Promise.race([promise, died]);
    answers.delete(id);
    return said;
  }

  return {
    url: first.url,
    hold: async (run, point) => void (await order({ do: "hold", run, point })),
    held: (run, point) => heldAt(run, point).promise,
    release: async (run, point) => void (await order({ do: "release", run, point })),
    pace: async (ms) => void (await order({ do: "pace", ms })),
    mark: async (mark) => void (await order({ do: "mark", mark })),
    quiet: async () => void (await order({ do: "quiet" })),
    seen: async (prefix) => {
      const { seen = [] } = await order({ do: "seen" });
      return seen.filter((one) => one.what === "mark" || one.run.startsWith(prefix));
    },
    [Symbol.asyncDispose]: () => program.kill(),
  };
}
