import { RunStepError } from "../../errors/run-errors.ts";
import { NOTHING_YET } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import { hasResult } from "../log/entries.ts";
import type { RunRecord } from "../log/run-record.ts";
import { SessionLog } from "../log/session-log.ts";
import type { SessionStore } from "../store/store.ts";
import { RecordOpener, type RunReading } from "./record-opener.ts";
import type { SessionBounds, SessionHost } from "./session-host.ts";

/** A session with a recorded run. */
export interface RecordedSession<Options> {
  readonly id: string;
  readonly store: SessionStore;
  readonly host: SessionHost<Options>;
  readonly bounds: SessionBounds;
  /** How much of the log is known: what others have written since does not count. @defaultValue all of it */
  readonly length?: number | undefined;
}

/** The result of a run that has ended, and its events, from its record: no code or option of its agent decides about it. */
export function recallRun<Options>(
  session: RecordedSession<Options>,
  runId: string,
  request: RunReading<Options>,
): RunningLoop {
  return {
    run: async () => {
      const { opener, record } = await openRecord(session, runId);
      const { end } = record;
      if (!hasResult(end)) throw endedWithoutResult(record);
      return await opener.recall(record, end, request);
    },
    soFar: () => NOTHING_YET,
    cancelCall: () => false,
    release: () => {},
  };
}

/** @throws {TypeError} When the session has no such run. */
export async function openRecord<Options>(
  { id, store, host, bounds, length }: RecordedSession<Options>,
  runId: string | undefined,
): Promise<{ readonly opener: RecordOpener<Options>; readonly record: RunRecord }> {
  const log = new SessionLog(store, id);
  await log.readUpTo(runId, length);
  const record = log.view.run;
  if (record === undefined) {
    const last = log.view.runIds.size === 0 ? "yet" : "since it went back";
    throw new TypeError(`session "${id}" has no run ${runId ?? last}`);
  }
  return { opener: new RecordOpener(log, host, bounds), record };
}

export function endedWithoutResult({ end }: RunRecord): RunStepError {
  const { error, stopReason = "cut off" } = end ?? {};
  const why = error === undefined ? "" : `: ${error.name}: ${error.message}`;
  return new RunStepError(`the recorded run ended here without a result (${stopReason})${why}`, "", { cause: error });
}
