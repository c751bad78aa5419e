import { journal, type JournalLog, lastTraceparent } from "../../durable/journal.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { PartialAnswer } from "../../loop/turn/partial-answer.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunEmitters } from "../../loop/run-stream.ts";
import { prepareHistory } from "../../model/history/import-history.ts";
import type { Content } from "../../wire/types/content.ts";
import { endOfRecord } from "./run-ending.ts";
import type { OpenedRun, SessionHost, SessionLimits, SessionRunMode } from "./session-host.ts";
import type { SessionRecords } from "../store/records.ts";
import type { SessionLog } from "../log/session-log.ts";
import { placeCutInSent, type RunRecord } from "../log/session-view.ts";

/** Opens the loop over the records of a session's runs: to make a run, or to read it again. */
export class RecordOpener<Options> {
  readonly #log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #limits: SessionLimits | undefined;
  readonly #conversation = {};

  constructor(log: SessionLog, host: SessionHost<Options>, limits: SessionLimits | undefined) {
    this.#log = log;
    this.#host = host;
    this.#limits = limits;
  }

  /** @param how - Without a mode, the run is only read again. */
  open(record: RunRecord, run: RunReading<Options>, how: OpenRecordOptions): OpenedRun {
    const { runId, input, metadata } = record.entry;
    const { mode = "read", log = this.#log.journalLog(runId), missing, onPartial } = how;
    const { beforeEnd = async (result) => endOfRecord(record, result) } = how;
    const before = this.#contentsBefore();
    const replaying = new ReplayMark(mode !== "begin");
    return this.#host.open({
      options: run.options,
      sessionId: this.#log.id,
      runId,
      metadata,
      mode,
      contents: [...before, ...input],
      historyLength: before.length,
      compaction: placeCutInSent(this.#log.view, before),
      conversation: this.#conversation,
      emitters: run.emitters && {
        emit: (event) => run.emitters?.emit(replaying.mark(event)),
        emitLive: run.emitters.emitLive,
      },
      beforeEnd: async (result) => {
        const next = await beforeEnd(result);
        if (mode === "resume") replaying.end();
        return next;
      },
      resumedFrom: mode === "resume" ? findTrace(record, how.left) : undefined,
      interrupted: mode === "read" ? record.end?.interrupted : undefined,
      onPartial,
      steps: ({ signal, emit }) =>
        journal<RunEvent>({ runId, signal, emit, log, missing, onExecute: () => replaying.end() }),
      steering: { take: (after) => this.#steered(after) },
      steeringCursor: record.steeringCursor,
      limits: this.#limits,
      spentBefore: record.spentBefore,
    });
  }

  /** What was said before a run, fit for this session's model. */
  #contentsBefore(): readonly Content[] {
    const { origin: to } = this.#host;
    return this.#log.view.segments.flatMap(({ origin: from, contents }) => {
      const isOwn = from?.endpoint === to.endpoint && from.family === to.family;
      return isOwn ? contents : prepareHistory(contents, { from, to });
    });
  }

  async #steered(after: number): Promise<{ readonly contents: readonly Content[]; readonly upTo: number } | undefined> {
    await this.#log.refresh();
    const said = this.#log.view.steersAfter(after);
    const last = said.at(-1);
    if (last === undefined) return undefined;
    return { contents: said.flatMap((one) => [...one.contents]), upTo: last.position + 1 };
  }
}

/** How a run is read: with what options, and where its events go. */
export interface RunReading<Options> {
  readonly options: Options;
  readonly emitters: RunEmitters | undefined;
}

/** How a record is opened. */
export interface OpenRecordOptions {
  /** @defaultValue "read" */
  readonly mode?: SessionRunMode | undefined;
  /** What the run's steps left, and where it is written. @defaultValue the session's log */
  readonly log?: JournalLog | undefined;
  /** @defaultValue for a record that is only read: more was said when the log has another turn */
  readonly beforeEnd?: BeforeEnd | undefined;
  /** The session's records from before, when the run is resumed. */
  readonly left?: SessionRecords | undefined;
  /** Called instead of an operation that has no outcome yet. */
  readonly missing?: ((op: { readonly name: string }) => never) | undefined;
  /** Called whenever more of an answer is known. */
  readonly onPartial?: ((partial: PartialAnswer) => void) | undefined;
}

/** The `traceparent` under which a run was last executed: its last process left it in the lease, in a draft, or in a step. */
function findTrace({ entry, outcomes }: RunRecord, { lease, draft }: SessionRecords = {}): string | undefined {
  const found = [lease, draft].find(
    (one) => one?.runId === entry.runId && parseTraceparent(one.traceparent) !== undefined,
  );
  return found?.traceparent ?? lastTraceparent(outcomes.values());
}

/** Marks the events of a run that repeat what its log holds: those before the first step that is executed here. */
class ReplayMark {
  #isReplayed: boolean;

  constructor(isReplayed: boolean) {
    this.#isReplayed = isReplayed;
  }

  mark(event: RunEvent): RunEvent {
    return this.#isReplayed ? { ...event, replayed: true } : event;
  }

  end(): void {
    this.#isReplayed = false;
  }
}
