import { NOTHING_YET, type RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import type { OpenedRecord, RunReader } from "./session-host.ts";

/** A run that starts when it is read. */
export function readRun<Opened extends RunningLoop = OpenedRecord>(
  make: (reader: RunReader<Opened>) => Promise<RunResult<unknown>>,
): RunningLoop {
  const left = new AbortController();
  const reader: RunReader<Opened> = { left: left.signal };
  return {
    run: () => make(reader),
    soFar: () => reader.opened?.soFar() ?? NOTHING_YET,
    cancelCall: (callId) => reader.opened?.cancelCall(callId) ?? false,
    release: () => {
      left.abort(new DOMException("the reader left before the run began", "AbortError"));
      reader.opened?.release();
    },
  };
}
