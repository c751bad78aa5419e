/** Which store a process keeps its sessions in, and where. */
export interface StorePlace {
  readonly kind: "jsonl" | "sqlite" | "postgres";
  /** The folder, or the database file; with a database elsewhere, the beginning of the paths of other files. */
  readonly path: string;
  /** For Postgres. */
  readonly database?: { readonly url: string; readonly schema: string } | undefined;
}

/** Where a process stops for good, to be killed there. */
export interface KillPoint {
  /** Number of the append, from 1. */
  readonly append: number;
  /** `during`: the append is begun and not held up. */
  readonly when: "before" | "during" | "after";
}

/** A session and what its tools tell. */
export interface Work {
  readonly url: string;
  readonly store: StorePlace;
  readonly id: string;
  /** File of the effects. */
  readonly effects: string;
}

/** What a process is told to do. */
export type Order =
  /** Send the message that begins the errand; `runId`: the same for all who send it. */
  | (Work & { readonly do: "begin"; readonly killPoint?: KillPoint | undefined; readonly runId?: string | undefined })
  /** Bring the session to its end, from wherever it stands; where this is root's process, as a user without rights. */
  | (Work & {
      readonly do: "finish";
      readonly asNobody?: boolean | undefined;
      /** Asks, and waits to be allowed, before it looks into what came of a call: another process may be at it. */
      readonly asks?: boolean | undefined;
    })
  | { readonly do: "go-on" };

/** How a session stood, and how it was brought to its end. */
export interface Finished {
  readonly is: "finished";
  /** How the last run had ended, as the session saw it. */
  readonly found: string;
  /** Calls of which nobody knew whether they had happened, and what the process found out. */
  readonly unknown: readonly { readonly callId: string; readonly done: boolean }[];
  readonly stopReason: string;
  readonly text: string;
}

/** What a process says. */
export type Report =
  | { readonly is: "ready" }
  | { readonly is: "acknowledged"; readonly length: number }
  | { readonly is: "at-kill-point" }
  | { readonly is: "asks" }
  | Finished
  | { readonly is: "failed"; readonly name: string; readonly typed: boolean; readonly message: string };
