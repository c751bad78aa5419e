import { LOOP_VERSION, stepName } from "../../durable/run-log.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionDamagedError } from "../../errors/run-errors.ts";
import { isObject } from "../../internal/json.ts";
import type { EntryOfRun, SessionEntry } from "./entries.ts";
import type { RunRecord } from "./run-record.ts";
import type { SessionView } from "./session-view.ts";
import { readAnswer, resolveRefs, type TurnRecord } from "./turn-record.ts";

/** Finds what a log has lost that an entry depends on, before it is read: nothing may be written after it. */
export function findDamage(view: SessionView, entry: SessionEntry): string | undefined {
  switch (entry.type) {
    case "history":
      return findBadContents(entry.parts.flatMap((part): readonly unknown[] => listOf(part, "contents")));
    case "run":
      return findBadContents(entry.input) ?? findDamagedEnd(view.run);
    case "steer":
      return findBadContents(entry.contents);
    case "rewind":
      return view.starts.some((start) => start.entry.runId === entry.before)
        ? undefined
        : `it goes back to before run ${entry.before}, which is not part of the conversation`;
    case "turn":
    case "answer": {
      const { run } = view;
      const { runId } = entry;
      if (!view.runIds.has(runId)) return noBeginning(runId);
      if (run?.entry.runId !== runId) return undefined;
      return "token" in entry ? findMisplaced(entry, run) : findBadTurn(entry, run);
    }
    case "begin":
    case "step":
    case "resume":
    case "end":
      return view.runIds.has(entry.runId) ? undefined : noBeginning(entry.runId);
    default:
      return undefined;
  }
}

function noBeginning(runId: string): string {
  return `run ${runId} has no beginning in the log`;
}

/** Finds an answer that a run would never find: it is read by its name, and what follows from it by its place. */
function findMisplaced({ step, place }: Extract<EntryOfRun, { type: "answer" }>, run: RunRecord): string | undefined {
  const isThere =
    place.kind === "wait" &&
    typeof place.callId === "string" &&
    // Another version of the loop may have other names.
    (run.entry.loop !== LOOP_VERSION || stepName(place) === step);
  return isThere ? undefined : `the answer ${step} is not in its place`;
}

export function findBadTurn(turn: TurnRecord, { outcomes }: Pick<RunRecord, "outcomes">): string | undefined {
  try {
    for (const call of turn.calls) readAnswer(call, outcomes);
    return findBadContents(resolveRefs(turn, outcomes));
  } catch (error) {
    return messageOf(error);
  }
}

/** Finds what a run's last ending refers to and the log has lost; those before it do not count. */
export function findDamagedEnd(run: RunRecord | undefined): string | undefined {
  for (const turn of run?.end?.open ?? []) {
    const problem = run && findBadTurn(turn, run);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

export function checkAnswers(sessionId: string, record: RunRecord): void {
  const missing = findMissingAnswer(record);
  if (missing !== undefined) throw new SessionDamagedError(sessionId, missing);
}

/** Finds a turn that lost the model's answer: another answer would get the outcomes of the lost one's calls. */
export function findMissingAnswer({ entry, turns, outcomes }: RunRecord): string | undefined {
  const answered = new Set(turns.map(({ turn }) => turn));
  for (const { place } of outcomes.values())
    if (place.kind === "model" && place.attempt === 0) answered.add(place.turn);
  for (const [step, { place }] of outcomes) {
    const { kind, turn } = place;
    // A message is checked, and others are summarized, before the model is asked.
    if (kind === "compact" || (kind === "guard" && place.side === "input") || answered.has(turn)) continue;
    const answer = stepName({ kind: "model", phase: "work", turn, attempt: 0 });
    return `${step} of run ${entry.runId} is in the log, and ${answer} is not`;
  }
  return undefined;
}

/** Only what every reader of contents relies on. */
function findBadContents(contents: readonly unknown[]): string | undefined {
  const isReadable = (content: unknown): boolean => isObject(content) && listOf(content, "parts").every(isObject);
  return contents.every(isReadable) ? undefined : "one of its contents has no list of parts";
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [undefined];
}
