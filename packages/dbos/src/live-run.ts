import { DBOS } from "@dbos-inc/dbos-sdk";
import type { RunEvent } from "@pollux/core";
import { batchEvents, type EngineEvent } from "@pollux/engine";
import { EVENT_STREAM } from "./protocol.ts";

/** How live events reach their readers. */
export interface LiveOptions {
  /** Milliseconds for which events are batched; each batch is one row and one commit. @defaultValue 40 */
  readonly everyMs?: number | undefined;
  /** Most bytes of JSON that one process writes for one run; later events are dropped. @defaultValue 4_194_304 */
  readonly maxBytes?: number | undefined;
}

/** The live events of one run while it is in this process. */
export interface LiveRun {
  step(name: string, attempt: number): LiveStep;
  /** Resolves once everything its steps reported has been written. Never rejects. */
  close(): Promise<void>;
}

/** The live events of one step. */
export interface LiveStep {
  /** Never rejects. */
  emit(event: RunEvent): Promise<void>;
  /** Flushes the rest; events emitted later are dropped. The step doesn't wait for it. */
  end(): void;
}

const NOTHING = Promise.resolve();

/** Live events in a DBOS stream, which any process can read from the database. */
export function liveRun(runId: string, options: LiveOptions | false): LiveRun {
  if (options === false) return SILENT;
  let left = options.maxBytes ?? 4_194_304;
  // Two concurrent writes to one stream would compete for the same position.
  let writing = NOTHING;
  let ending = NOTHING;
  const write = (events: readonly EngineEvent[]): Promise<void> => {
    left -= JSON.stringify(events).length;
    if (left < 0) return NOTHING;
    writing = writing.then(() => DBOS.writeStream(EVENT_STREAM, events)).catch(() => {});
    return writing;
  };
  return {
    step: (step, attempt) => {
      const batch = batchEvents(write, { everyMs: options.everyMs ?? 40 });
      const end = (): void => {
        ending = Promise.all([ending, batch.close()]).then(() => {});
      };
      return { emit: (event) => batch.emit({ runId, step, attempt }, event), end };
    },
    close: () => ending,
  };
}

const SILENT: LiveRun = { step: () => ({ emit: () => NOTHING, end: () => {} }), close: () => NOTHING };
