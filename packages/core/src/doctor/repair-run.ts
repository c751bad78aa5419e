import type { Outcome } from "../durable/steps.ts";
import { isObject } from "../internal/json.ts";
import { closeOpenCalls } from "../loop/transcript.ts";
import { RESULT_NOT_RECORDED } from "../model/history/import-history.ts";
import { type ContentRef, type EndEntry, ENTRY_VERSION, isResumable, type RunEntry } from "../session/entries.ts";
import { buildRefs } from "../session/session-view.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { isNameless } from "./entry-shape.ts";
import type { RunGroup } from "./group-runs.ts";
import { type Change, pairCalls } from "./pair-calls.ts";
import type { Item, SessionProblem } from "./read-lines.ts";
import { collectOutcomes, findMissingTurns, isModelStep, readValue, rebuildRun } from "./rebuild-run.ts";

/** A run whose end speaks of nothing that is missing, and in which each call has its one response. */
export interface RepairedRun {
  readonly items: readonly Item[];
  /** What it adds to the history. */
  readonly contents: readonly Content[];
  /** The end that counts; absent for a run that is open. */
  readonly end: Item<EndEntry> | undefined;
  readonly problems: readonly SessionProblem[];
}

/** Where a run stands in its session. */
interface Place {
  /** No other run follows. */
  readonly isLast: boolean;
  /** Nothing was said before it. */
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
export function repairRun(group: RunGroup, place: Place): RepairedRun {
  const outcomes = collectOutcomes(group.items);
  const end = findEffectiveEnd(group);
  if (end !== undefined) return repairEndedRun(group, place, end, outcomes);
  const { run, problems } = repairInput(group.run, place.first);
  const { input } = run.entry;
  const isHurt = hasGaps(group, end);
  if (place.isLast && !isHurt)
    return { items: [run, ...group.items], contents: closeOpenCalls(input), end: undefined, problems };
  const first = place.first && input.length === 0;
  const ended = rebuildEnd({ ...group, run }, outcomes, { first, isOver: isHurt && place.isLast });
  return {
    items: [run, ...group.items, ended.end],
    contents: [...input, ...ended.added],
    end: ended.end,
    problems: [
      ...problems,
      {
        position: run.position,
        problem: `run ${run.entry.runId} has no end, and ${isHurt ? "entries of it are lost" : "another run follows"}`,
        remedy: `its end is rebuilt from its steps; calls without an outcome count as cancelled${isHurt && place.isLast ? NOT_RESUMED : ""}`,
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
  if (pairCalls([...run.entry.input, ...known], { first: place.first }).changes.length > 0) {
    const repaired = repairInput(run, place.first);
    run = repaired.run;
    const paired = pairCalls(known, { first: place.first && run.entry.input.length === 0 });
    problems.push(...repaired.problems, ...at(found.position, paired.changes));
    added = paired.contents;
  }
  let { entry } = found;
  if (missing.length > 0 || added !== known) entry = { ...entry, added: buildRefs(added, outcomes) };
  if (place.isLast && isResumable(entry) && (missing.length > 0 || hasGaps(group, found))) {
    problems.push({
      position: found.position,
      problem: `run ${entry.runId} ended with "${entry.stopReason}", and entries of it are lost`,
      remedy: `it is final${NOT_RESUMED}`,
    });
    const { pending: _, ...rest } = entry;
    entry = { ...rest, stopReason: "stopped", error: DAMAGED };
  }
  const end = entry === found.entry ? found : { position: found.position, entry };
  // By position, since an item may be a copy.
  const items = group.items.map((item) => (item.position === end.position ? end : item));
  return { items: [run, ...items], contents: [...run.entry.input, ...added], end, problems };
}

function repairInput(run: Item<RunEntry>, first: boolean): { run: Item<RunEntry>; problems: SessionProblem[] } {
  const { contents, changes } = pairCalls(closeOpenCalls(run.entry.input), { first });
  if (changes.length === 0) return { run, problems: [] };
  return { run: { ...run, entry: { ...run.entry, input: contents } }, problems: at(run.position, changes) };
}

function rebuildEnd(
  { run, items }: RunGroup,
  outcomes: ReadonlyMap<string, Outcome>,
  { first, isOver }: { readonly first: boolean; readonly isOver: boolean },
): { end: Item<EndEntry>; added: readonly Content[] } {
  const { turns, toolCalls, usage, ...rebuilt } = rebuildRun(outcomes, RESULT_NOT_RECORDED);
  const { contents: added } = pairCalls(rebuilt.added, { first });
  const last = items.at(-1) ?? run;
  const entry: EndEntry = {
    v: ENTRY_VERSION,
    at: last.entry.at,
    type: "end",
    runId: run.entry.runId,
    stopReason: isOver ? "stopped" : "aborted",
    added: buildRefs(added, outcomes),
    turns,
    toolCalls,
    usage,
    error: isOver ? DAMAGED : CUT_OFF,
  };
  return { end: { position: last.position, entry }, added };
}

/** True when a run would not be resumed as it was: an entry that it may go by is not in the log. */
function hasGaps({ items, lost }: RunGroup, end: Item<EndEntry> | undefined): boolean {
  if (lost.some(({ type }) => type !== "steer" && type !== "end")) return true;
  if (end !== undefined && !isResumable(end.entry)) return false;
  return findMissingTurns(items.flatMap(({ entry }) => ("step" in entry ? entry.step : []))).length > 0;
}

function at(position: number, changes: readonly Change[]): SessionProblem[] {
  return changes.map((change) => ({ position, ...change }));
}

/** The last end, unless the run was opened again, or went on after it by entries that are lost. */
function findEffectiveEnd({ items, lost }: RunGroup): Item<EndEntry> | undefined {
  let end: Item<EndEntry> | undefined;
  for (const { position, entry } of items) {
    if (entry.type === "end") end = { position, entry };
    else if (entry.type === "resume") end = undefined;
  }
  const after = end?.position ?? 0;
  const wentOn = items.some(({ position, entry }) => position > after && entry.type === "step");
  return wentOn && lost.some(({ position }) => position > after) ? undefined : end;
}

/** The contents that refs stand for, without those whose steps are missing. */
export function resolveKnownRefs(
  refs: readonly ContentRef[],
  outcomes: ReadonlyMap<string, Outcome>,
): { contents: Content[]; missing: Change[] } {
  const missing: Change[] = [];
  const valueAt = (step: string): unknown => readValue(outcomes.get(step));
  const lack = (step: string, remedy: string): [] => {
    missing.push({ problem: `the end refers to ${step}, which is not in the log`, remedy });
    return [];
  };
  const contents = refs.flatMap((ref): Content | [] => {
    if ("model" in ref) {
      const value = valueAt(ref.model);
      return isModelStep(value) && !value.response.content.parts.some(isNameless)
        ? value.response.content
        : lack(ref.model, "the model's response is omitted");
    }
    if ("role" in ref) return ref;
    const parts =
      "calls" in ref
        ? ref.calls.flatMap((one): Part | [] => {
            if (typeof one !== "string") return one;
            const value = valueAt(one);
            // The shape of call steps was checked.
            return isObject(value) && isObject(value["part"]) ? value["part"] : lack(one, "its result is omitted");
          })
        : ref.after.flatMap((step): Part[] => {
            const value = valueAt(step);
            if (isObject(value) && Array.isArray(value["after"])) return value["after"] as Part[];
            return lack(step, "what followed its result is omitted");
          });
    return parts.length === 0 ? [] : { role: "user", parts };
  });
  return { contents, missing };
}
