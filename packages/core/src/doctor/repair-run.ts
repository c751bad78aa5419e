import { guardStepName } from "../durable/run-log.ts";
import type { Outcome } from "../durable/steps.ts";
import { closeOpenCalls, userText } from "../loop/transcript.ts";
import { RESULT_NOT_RECORDED } from "../model/history/import-history.ts";
import { type EndEntry, ENTRY_VERSION, isResumable, type RunEntry } from "../session/log/entries.ts";
import { buildRefs, checkedInput } from "../session/log/session-view.ts";
import type { Content } from "../wire/types/content.ts";
import { type Change, pairCalls } from "./pair-calls.ts";
import type { Item, RunGroup, SessionProblem } from "./read-log.ts";
import { hasMissingTurns, listModelSteps, readRuns, rebuildRun, resolveKnownRefs } from "./rebuild-run.ts";

/** A run whose end refers only to steps in the log, and in which each call has exactly one response. */
export interface RepairedRun {
  readonly items: readonly Item[];
  /** What it adds to the history. */
  readonly contents: readonly Content[];
  /** The end in effect; absent for an open run. */
  readonly end: Item<EndEntry> | undefined;
  readonly problems: readonly SessionProblem[];
}

/** Position of a run in its session. */
interface Place {
  /** No run follows. */
  readonly isLast: boolean;
  /** No contents precede it. */
  readonly first: boolean;
}

const NOT_RESUMED =
  "; it cannot be resumed, because steps with lost outcomes might run twice; a new message can be sent";

const DAMAGED = {
  name: "SessionDamagedError",
  message: "entries of this run were damaged and are lost",
  code: "session_damaged",
};

const CUT_OFF = { name: "AbortError", message: "the run was cut off here" };

/** Repairs one run. */
export function repairRun(damaged: RunGroup, place: Place): RepairedRun {
  const [record] = readRuns([damaged.run, ...damaged.items].map(({ entry }) => entry)).runs;
  const outcomes = record?.outcomes ?? new Map<string, Outcome>();
  const restored = replaceUnchecked(damaged.run, outcomes);
  const group = { ...damaged, run: restored.run };
  const repaired = repairCheckedRun(group, place, outcomes, record?.end);
  return { ...repaired, problems: [...restored.problems, ...repaired.problems] };
}

/** A message whose check is lost, although the model read it: what the model read is unknown. */
function replaceUnchecked(
  run: Item<RunEntry>,
  outcomes: ReadonlyMap<string, Outcome>,
): { run: Item<RunEntry>; problems: readonly SessionProblem[] } {
  const { guarded, ...entry } = run.entry;
  const isLost = guarded === true && !outcomes.has(guardStepName("input", 1)) && listModelSteps(outcomes).length > 0;
  if (!isLost) return { run, problems: [] };
  const problem = `what guardrails made of the message of run ${entry.runId} is lost`;
  return {
    run: { ...run, entry: { ...entry, input: [userText(MESSAGE_LOST)] } },
    problems: [{ position: run.position, problem, remedy: "a note takes the place of the message" }],
  };
}

const MESSAGE_LOST = "(this message was lost)";

function repairCheckedRun(
  group: RunGroup,
  place: Place,
  outcomes: ReadonlyMap<string, Outcome>,
  recordedEnd: EndEntry | undefined,
): RepairedRun {
  const end = findEffectiveEnd(group, recordedEnd);
  if (end !== undefined) return repairEndedRun(group, place, end, outcomes);
  const { run, problems } = repairInput(group.run, place.first);
  const input = checkedInput({ entry: run.entry, outcomes });
  // An end that is not in effect must not stay the last one.
  const isDamaged = recordedEnd !== undefined || hasGaps(group);
  if (place.isLast && !isDamaged)
    return { items: [run, ...group.items], contents: closeOpenCalls(input), end, problems };
  const isFinal = isDamaged && place.isLast;
  const ended = rebuildEnd({ ...group, run }, outcomes, { first: place.first && input.length === 0, isFinal });
  return {
    items: [run, ...group.items, ended.end],
    contents: [...input, ...ended.added],
    end: ended.end,
    problems: [
      ...problems,
      {
        position: run.position,
        problem: `run ${run.entry.runId} has no end, and ${isDamaged ? "entries of it are lost" : "another run follows"}`,
        remedy: `its end is rebuilt from its steps; calls without an outcome count as cancelled${isFinal ? NOT_RESUMED : ""}`,
      },
    ],
  };
}

function repairEndedRun(
  group: RunGroup,
  place: Place,
  found: Item<EndEntry>,
  outcomes: ReadonlyMap<string, Outcome>,
): RepairedRun {
  const { contents: known, missing } = resolveKnownRefs(found.entry.added, outcomes);
  const problems: SessionProblem[] = at(found.position, missing);
  let { run } = group;
  let added: readonly Content[] = known;
  if (
    pairCalls([...checkedInput({ entry: run.entry, outcomes }), ...known], { first: place.first }).changes.length > 0
  ) {
    const repaired = repairInput(run, place.first);
    run = repaired.run;
    const paired = pairCalls(known, {
      first: place.first && checkedInput({ entry: run.entry, outcomes }).length === 0,
    });
    problems.push(...repaired.problems, ...at(found.position, paired.changes));
    added = paired.contents;
  }
  let { entry } = found;
  if (missing.length > 0 || added !== known) entry = { ...entry, added: buildRefs(added, outcomes) };
  if (place.isLast && isResumable(entry) && (missing.length > 0 || hasGaps(group, entry))) {
    problems.push({
      position: found.position,
      problem: `run ${entry.runId} ended with "${entry.stopReason}", and entries of it are lost`,
      remedy: `it is final${NOT_RESUMED}`,
    });
    const { pending: _, ...rest } = entry;
    entry = { ...rest, stopReason: "stopped", error: DAMAGED };
  }
  const end = entry === found.entry ? found : { position: found.position, entry };
  const items = group.items.map((item) => (item.position === end.position ? end : item));
  return {
    items: [run, ...items],
    contents: [...checkedInput({ entry: run.entry, outcomes }), ...added],
    end,
    problems,
  };
}

function repairInput(run: Item<RunEntry>, first: boolean): { run: Item<RunEntry>; problems: SessionProblem[] } {
  const { contents, changes } = pairCalls(closeOpenCalls(run.entry.input), { first });
  if (changes.length === 0) return { run, problems: [] };
  return { run: { ...run, entry: { ...run.entry, input: contents } }, problems: at(run.position, changes) };
}

function rebuildEnd(
  { run, items }: RunGroup,
  outcomes: ReadonlyMap<string, Outcome>,
  { first, isFinal }: { readonly first: boolean; readonly isFinal: boolean },
): { end: Item<EndEntry>; added: readonly Content[] } {
  const { turns, toolCalls, usage, ...rebuilt } = rebuildRun(outcomes, RESULT_NOT_RECORDED);
  const { contents: added } = pairCalls(rebuilt.added, { first });
  const last = items.at(-1) ?? run;
  const entry: EndEntry = {
    v: ENTRY_VERSION,
    at: last.entry.at,
    type: "end",
    runId: run.entry.runId,
    stopReason: isFinal ? "stopped" : "aborted",
    added: buildRefs(added, outcomes),
    turns,
    toolCalls,
    usage,
    error: isFinal ? DAMAGED : CUT_OFF,
  };
  return { end: { position: last.position, entry }, added };
}

/** True when entries that resuming the run may depend on are not in the log. */
function hasGaps({ items, lost }: RunGroup, end?: EndEntry): boolean {
  if (lost.some(({ type }) => type !== "steer" && type !== "end")) return true;
  if (end !== undefined && !isResumable(end)) return false;
  return hasMissingTurns(items.flatMap(({ entry }) => ("step" in entry ? entry.step : [])));
}

function at(position: number, changes: readonly Change[]): SessionProblem[] {
  return changes.map((change) => ({ position, ...change }));
}

/** The run's end, unless the run continued after it in entries that are lost. */
function findEffectiveEnd({ items, lost }: RunGroup, inEffect: EndEntry | undefined): Item<EndEntry> | undefined {
  // Not the same object: answers that came after it changed what it waits for.
  const end = items.findLast((item): item is Item<EndEntry> => item.entry.type === "end");
  if (inEffect === undefined || end === undefined) return undefined;
  const continued = items.some((item) => item.position > end.position && item.entry.type === "step");
  return continued && lost.some((line) => line.position > end.position) ? undefined : end;
}
