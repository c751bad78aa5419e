import type { RunEntry, SessionEntry } from "../session/entries.ts";
import type { Item, LostLine, ReadLines, SessionProblem } from "./read-lines.ts";

/** What an entry of a run may be. */
export type EntryOfRun = Exclude<SessionEntry, { type: "history" | "run" }>;

/** A run's entries, in the order of the log. */
export interface RunGroup {
  readonly run: Item<RunEntry>;
  readonly items: readonly Item<EntryOfRun>[];
  /** Lines among them that cannot be kept, or belong to no run that was begun. */
  readonly lost: readonly LostLine[];
}

/** A log by its runs. */
export interface GroupedLog {
  /** What comes before the first run. */
  readonly head: readonly Item<Extract<SessionEntry, { type: "history" | "steer" }>>[];
  readonly headLost: readonly LostLine[];
  readonly groups: readonly RunGroup[];
  readonly problems: readonly SessionProblem[];
}

interface OpenGroup {
  run: Item<RunEntry>;
  items: Item<EntryOfRun>[];
  readonly lost: LostLine[];
}

/** Sorts entries by their runs. What belongs to no run is left out. */
export function groupByRun({ items, lost }: Pick<ReadLines, "items" | "lost">): GroupedLog {
  const head: Item<Extract<SessionEntry, { type: "history" | "steer" }>>[] = [];
  const headLost: LostLine[] = [];
  const groups: OpenGroup[] = [];
  const problems: SessionProblem[] = [];
  const all = [...items, ...lost].toSorted((a, b) => a.position - b.position);
  for (const one of all) {
    const group = groups.at(-1);
    if (!("entry" in one)) {
      (group?.lost ?? headLost).push(one);
      continue;
    }
    const { position, entry } = one;
    if (entry.type === "run") groups.push({ run: { position, entry }, items: [], lost: [] });
    else if (entry.type === "history") {
      if (group === undefined) head.push({ position, entry });
      else
        problems.push({
          position,
          problem: "it holds contents from before the session, but comes after a run",
          remedy: "it is dropped together with its contents",
        });
    } else if (group !== undefined) group.items.push({ position, entry });
    else if (entry.type === "steer") head.push({ position, entry });
    else problems.push(orphan(position, entry));
  }
  const begun = new Set(groups.map(({ run }) => run.entry.runId));
  for (const group of groups) {
    keepOwn(group, begun, problems);
    dropRepeated(group, problems);
  }
  return { head, headLost, groups, problems };
}

/** Leaves the entries of the group's own run, in which one damaged id is put right. */
function keepOwn(group: OpenGroup, begun: ReadonlySet<string>, problems: SessionProblem[]): void {
  const { position, entry } = group.run;
  const ids = group.items.map((item) => getRunId(item)).filter((id) => id !== undefined);
  const strangers = ids.filter((id) => !begun.has(id));
  const [stranger = ""] = strangers;
  const mayHideRun = group.lost.some(({ type }) => type === undefined || type === "run");
  const isOneId = strangers.every((id) => id === stranger);
  if (strangers.length > 0 && isOneId && !mayHideRun && !ids.includes(entry.runId)) {
    problems.push({
      position,
      problem: `it begins run ${entry.runId}, and what follows is of run ${stranger}`,
      remedy: "its runId is corrected",
    });
    group.run = { position, entry: { ...entry, runId: stranger } };
  }
  const { runId } = group.run.entry;
  let ended = false;
  const kept: Item<EntryOfRun>[] = [];
  for (const item of group.items) {
    const id = getRunId(item);
    if (id === undefined || id === runId) kept.push(item);
    else if (strangers.length === 1 && id === stranger && !mayHideRun && !ended) {
      problems.push({
        position: item.position,
        problem: `it is of run ${id}, which was never begun, in the middle of run ${runId}`,
        remedy: "its runId is corrected",
      });
      // An entry with a runId, or it would have no id.
      kept.push({ position: item.position, entry: { ...item.entry, runId } as EntryOfRun });
    } else {
      problems.push(orphan(item.position, item.entry, begun.has(id)));
      // No other run's: it may be of this one, by an id that is damaged.
      if (!begun.has(id)) group.lost.push({ position: item.position, type: item.entry.type, runId: id });
    }
    if (item.entry.type === "end") ended = true;
    if (item.entry.type === "resume") ended = false;
  }
  group.items = kept;
}

/** Leaves the last outcome of each step: it is the one that counts. */
function dropRepeated(group: OpenGroup, problems: SessionProblem[]): void {
  const last = new Map<string, Item>();
  for (const item of group.items)
    if (item.entry.type === "step" || item.entry.type === "answer") last.set(item.entry.step, item);
  group.items = group.items.filter((item) => {
    if (item.entry.type !== "step" && item.entry.type !== "answer") return true;
    if (last.get(item.entry.step) === item) return true;
    problems.push({
      position: item.position,
      problem: `${item.entry.step} is recorded again later`,
      remedy: "it is dropped; the later one counts",
    });
    return false;
  });
}

function getRunId({ entry }: Item<EntryOfRun>): string | undefined {
  return entry.type === "steer" ? undefined : entry.runId;
}

function orphan(position: number, entry: SessionEntry, isOver: boolean = false): SessionProblem {
  const what = "step" in entry ? `${entry.type} ${entry.step}` : entry.type;
  const runId = "runId" in entry ? entry.runId : "";
  return {
    position,
    problem: isOver
      ? `${what} is of run ${runId}, but stands in another`
      : `${what} is of run ${runId}, whose beginning is not in the log`,
    remedy: isOver ? "it is dropped; nothing reads it there" : "it is dropped; it is meaningless without its run",
  };
}
