import type { Session, SessionAbout, SessionOptions } from "@pollux/core";
import type { GoingRun } from "./going-run.ts";

/** A session as this process uses it: all its users share one object, which reports every piece of text of the runs that it starts. */
export interface OpenSession<Context> {
  readonly session: Session<Context>;
  /** The active runs of this process. */
  readonly runs: ReadonlySet<GoingRun>;
  /** Adds a run, which uses the session until it is over. */
  readonly add: (run: GoingRun) => void;
  /** Ends the use. */
  readonly release: () => void;
}

interface Held<Context> {
  readonly session: Session<Context>;
  readonly runs: Set<GoingRun>;
  users: number;
}

/** The sessions that are in use in this process, and their runs. */
export class OpenSessions<Context> {
  readonly #held: Map<string, Held<Context>> = new Map();
  /** The active runs, and their owners. */
  readonly #runs: Map<GoingRun, string> = new Map();
  readonly #make: (options: SessionOptions) => Session<Context>;
  readonly #onLeft: (id: string) => void;

  /** @param onLeft - Nobody uses the session anymore, or it was forgotten. */
  constructor(make: (options: SessionOptions) => Session<Context>, onLeft: (id: string) => void) {
    this.#make = make;
    this.#onLeft = onLeft;
  }

  /** @param about - Of a session that begins now. */
  take(id: string, about: SessionAbout): OpenSession<Context> {
    const { owner = "" } = about;
    const held = this.#held.get(id) ?? { session: this.#make({ id, ...about }), runs: new Set(), users: 0 };
    this.#held.set(id, held);
    const hold = (): (() => void) => {
      let isHeld = true;
      held.users += 1;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        held.users -= 1;
        if (held.users > 0 || this.#held.get(id) !== held) return;
        this.#held.delete(id);
        this.#onLeft(id);
      };
    };
    return {
      session: held.session,
      runs: held.runs,
      release: hold(),
      add: (run) => {
        const release = hold();
        this.#runs.set(run, owner);
        held.runs.add(run);
        void run.over.then(() => {
          this.#runs.delete(run);
          held.runs.delete(run);
          release();
        });
      },
    };
  }

  /** Forgets a session that was deleted; its current users keep their object. */
  forget(id: string): void {
    if (this.#held.delete(id)) this.#onLeft(id);
  }

  /** Forgets all sessions whose ids begin with this, as {@link forget} does. */
  forgetAll(prefix: string): void {
    for (const id of this.#held.keys()) if (id.startsWith(prefix)) this.forget(id);
  }

  /** All sessions that are in use. */
  get all(): readonly Pick<OpenSession<Context>, "session" | "runs">[] {
    return [...this.#held.values()];
  }

  /** The active runs of one owner. */
  runsOf(owner: string): readonly GoingRun[] {
    return [...this.#runs].flatMap(([run, of]) => (of === owner ? [run] : []));
  }
}
