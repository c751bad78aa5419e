import type { Answered, Asked, Ended } from "./engine-place.ts";

/** The engine of a worker. */
export type WorkerKind =
  | { readonly kind: "none" }
  | { readonly kind: "jsonl" | "sqlite"; readonly path: string }
  | { readonly kind: "restate"; readonly ingress: string }
  | {
      readonly kind: "dbos";
      readonly databaseUrl: string;
      readonly executorId: string;
      readonly version: string;
      readonly listen: boolean;
    };

/** The setup of a worker, as JSON in its environment. */
export interface WorkerSetup {
  readonly on: WorkerKind;
  readonly outside: string;
  readonly code: "old" | "new";
}

/** A request to a worker. Only journals need requests for runs; engines schedule their own. */
export type WorkerOrder =
  | {
      readonly do: "take";
      readonly run: string;
      readonly input: string;
      readonly answers?: readonly (Answered & { readonly callId: string })[] | undefined;
    }
  | { readonly do: "abort"; readonly run: string }
  | { readonly do: "nap"; readonly run: string; readonly ms: number };

/** A message of a worker. */
export type WorkerSaid =
  | { readonly is: "ready"; readonly port?: number | undefined }
  | { readonly is: "taken"; readonly run: string }
  | { readonly is: "waiting"; readonly run: string; readonly asked: readonly Asked[] }
  | { readonly is: "ended"; readonly run: string; readonly ended: Ended }
  /** It can't work. */
  | { readonly is: "broken"; readonly message: string };
