import type { ReadPlace } from "../inspection/step-place.ts";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import { stepsOfRun } from "../inspection/turn-step.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { readHead, type RequestHead } from "./request-head.ts";

/** A run, and what was kept of its requests. */
export interface Kept {
  readonly fold: SessionFold;
  readonly run: RunFold;
  readonly exchanges: ExchangeFold;
}

/** The head of the run's first request, if it was kept. */
export function firstHead({ exchanges, run }: Pick<Kept, "exchanges" | "run">): RequestHead | undefined {
  const n = firstExchange({ exchanges, run });
  const request = n === undefined ? undefined : exchanges.request(n);
  return request === undefined ? undefined : readHead(request);
}

/** The kept exchange of the run's first request for an answer. */
export function firstExchange({ exchanges, run }: Pick<Kept, "exchanges" | "run">): number | undefined {
  const n = exchanges.kept.exchanges.findIndex(({ runId, step }) => runId === run.runId && step.place.kind === "model");
  return n === -1 ? undefined : n;
}

/** Typed output is asked for in a request of its own, or in each of them. */
export function outputOf({ fold, run, exchanges }: Kept, head: RequestHead | undefined): RequestHead["output"] {
  if (head?.output !== undefined) return head.output;
  const isOwn = (place: ReadPlace): boolean => place.kind === "model" && place.phase === "output";
  if (!stepsOfRun(fold, run).some(({ place }) => isOwn(place))) return undefined;
  const n = exchanges.kept.exchanges.findIndex(({ runId, step }) => runId === run.runId && isOwn(step.place));
  return readHead(exchanges.request(n)).output ?? "json";
}
