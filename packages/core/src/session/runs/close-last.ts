import { SessionUnfinishedError } from "../../errors/run-errors.ts";
import { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { Part } from "../../wire/types/content.ts";
import { boundParts } from "../lease/lease.ts";
import { deriveOpen, type OpenPart } from "../log/derive-open.ts";
import type { EndEntry, InterruptedAnswer } from "../log/entries.ts";
import type { RunRecord } from "../log/run-record.ts";
import { checkAnswers, findLeader, sumUpRun } from "../log/run-turns.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import { openQuestions } from "./session-answers.ts";
import type { SessionHost } from "./session-host.ts";

/** What a message does with a last run that was cut off or waits for an answer; `steer` closes one that was cut off. */
export type Unfinished = "close" | "refuse" | "steer";

/** The entries that make way for the next message, and the tokens of the questions that it withdraws. */
export async function closeLast<Options>(
  log: SessionLog,
  host: SessionHost<Options>,
  unfinished: Unfinished,
  options: Options,
): Promise<{ readonly closing: readonly NewEntry[]; readonly withdrawn?: readonly string[] | undefined }> {
  const { run } = log.view;
  if (run === undefined) return { closing: [] };
  const waits = run.end?.pending !== undefined;
  if (unfinished === "refuse" && (waits || run.end === undefined)) {
    const why = waits ? "its last run waits for an answer" : "its last run was cut off";
    throw new SessionUnfinishedError(log.id, run.entry.runId, why);
  }
  const tokens = openQuestions(run).map(({ token }) => token);
  const withdrawn = tokens.length > 0 ? tokens : undefined;
  if (run.end !== undefined) return { closing: [], withdrawn };
  checkAnswers(log.id, run);
  return { closing: [await endCutOff(run, log, host.lead(findLeader(run)), options)], withdrawn };
}

/**
 * How a run that was cut off ended, as far as its log goes. Decides nothing about what is finished, so it needs none of its options; of an
 * answer that broke off, it keeps what the guardrails let pass.
 */
async function endCutOff<Options>(
  record: RunRecord,
  { store, id, view }: SessionLog,
  host: SessionHost<Options>,
  options: Options,
): Promise<NewEntry> {
  const { runId, metadata } = record.entry;
  const { draft } = await store.records(id);
  const open = deriveOpen(record, { draft, steeringWaits: view.steering.unread.length > 0 });
  let interrupted: InterruptedAnswer | undefined;
  if (open.draft !== undefined) {
    const { parts: said, guarded, truncated, ...at } = open.draft;
    const partial = new PartialResponse();
    partial.add(said);
    const parts = partial.parts();
    const run = { options, runId, sessionId: id, metadata, turn: at.place.turn };
    const checked = guarded && (await host.checkPartial(parts, run));
    interrupted = interruptedAnswer({ ...at, checked: checked?.actions }, checked?.kept ?? parts, truncated);
  }
  return {
    type: "end",
    runId,
    open: open.turns,
    ...sumUpRun(record, open.turns),
    ...describeEnding(open.ending),
    interrupted,
  };
}

/** How a run ended, in the words of its log. */
export type RunEnding = Pick<EndEntry, "stopReason" | "reached" | "guardrail" | "pending" | "problem" | "error">;

function describeEnding(ending: OpenPart["ending"]): RunEnding {
  if (typeof ending === "object") return { stopReason: "guardrail", guardrail: ending };
  return ending === "aborted" ? { stopReason: ending, error: CUT_OFF } : { stopReason: ending };
}

const CUT_OFF = { name: "AbortError", message: "the run was cut off here" };

/** What the end of a run keeps of the answer that it ended in the middle of. `isCut`: the answer was longer. */
export function interruptedAnswer(
  { step, place, attempt, checked = [] }: Pick<InterruptedAnswer, "step" | "place" | "attempt" | "checked">,
  kept: readonly Part[],
  isCut: boolean = false,
): InterruptedAnswer | undefined {
  const { parts, truncated } = boundParts(kept);
  if (parts.length + checked.length === 0) return undefined;
  return {
    step,
    place,
    attempt,
    parts,
    ...((truncated || isCut) && { truncated: true }),
    ...(checked.length > 0 && { checked }),
  };
}
