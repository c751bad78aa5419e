/** The kind and place of a process's store. */
export interface StorePlace {
  readonly kind: "jsonl" | "sqlite" | "postgres";
  /** The folder, or the database file; for a database server, the path prefix of other files. */
  readonly path: string;
  /** For Postgres. */
  readonly database?: { readonly url: string; readonly schema: string } | undefined;
}

/** Where a process hangs, to be killed there. */
export interface KillPoint {
  /** Number of the append, from 1. */
  readonly append: number;
  /** `during`: the append has started and continues. */
  readonly when: "before" | "during" | "after";
}

/** A session and the effects of its tools. */
export interface Work {
  readonly url: string;
  readonly store: StorePlace;
  readonly id: string;
  /** File of the effects. */
  readonly effects: string;
}

/** An order to a process. */
export type Order =
  /** Send the message that starts the errand; `runId`: the same for all senders. */
  | (Work & { readonly do: "begin"; readonly killPoint?: KillPoint | undefined; readonly runId?: string | undefined })
  /** Finish the session from any state; `asNobody`: a process of root gives up its rights first. */
  | (Work & {
      readonly do: "finish";
      readonly asNobody?: boolean | undefined;
      /** Asks for permission before it checks the outcome of a call, since another process may work on the call. */
      readonly asks?: boolean | undefined;
    })
  | { readonly do: "go-on" };

/** The state of a session, and how the process finished it. */
export interface Finished {
  readonly is: "finished";
  /** The session's `lastRun` before. */
  readonly found: string;
  /** Calls with an unknown outcome, and whether the process found them done. */
  readonly unknown: readonly { readonly callId: string; readonly done: boolean }[];
  readonly stopReason: string;
  readonly text: string;
}

/** A message of a process. */
export type Report =
  | { readonly is: "ready" }
  | { readonly is: "acknowledged"; readonly length: number }
  | { readonly is: "at-kill-point" }
  | { readonly is: "asks" }
  | Finished
  | { readonly is: "failed"; readonly name: string; readonly typed: boolean; readonly message: string };
