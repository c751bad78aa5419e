import type { Answered, Asked, Ended } from "./engine-place.ts";

/** What a worker runs on. */
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

/** What a worker is made with, as JSON in its environment. */
export interface WorkerSetup {
  readonly on: WorkerKind;
  readonly outside: string;
  readonly code: "old" | "new";
}

/** What is asked of a worker. Only journals are told about runs; engines know by themselves. */
export type WorkerOrder =
  | {
      readonly do: "take";
      readonly run: string;
      readonly input: string;
      readonly answers?: readonly (Answered & { readonly callId: string })[] | undefined;
    }
  | { readonly do: "abort"; readonly run: string }
  | { readonly do: "nap"; readonly run: string; readonly ms: number };

/** What a worker says. */
export type WorkerSaid =
  | { readonly is: "ready"; readonly port?: number | undefined }
  | { readonly is: "taken"; readonly run: string }
  | { readonly is: "waiting"; readonly run: string; readonly asked: readonly Asked[] }
  | { readonly is: "ended"; readonly run: string; readonly ended: Ended }
  /** It cannot do what it is for. */
  | { readonly is: "broken"; readonly message: string };
