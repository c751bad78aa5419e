import type { ModelStepValue } from "../durable/run-log.ts";
import type { Json } from "../internal/json.ts";
import { type HistoryOrigin, PLACEHOLDER_SIGNATURE } from "../model/history/import-history.ts";
import { type ContentRef, type EndEntry, isResumable, type SessionEntry } from "../session/entries.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { groupByRun, type GroupedLog, type RunGroup } from "./group-runs.ts";
import { pairCalls } from "./pair-calls.ts";
import { type Item, type LogLine, readLines, type SessionProblem } from "./read-lines.ts";
import { isModelStep, readValue } from "./rebuild-run.ts";
import { repairRun } from "./repair-run.ts";

/** What a check found. */
export interface SessionCheck {
  /** What keeps the session from opening, or its history from being sent; in the order of the log. */
  readonly problems: readonly SessionProblem[];
  /** What is as it may be, and worth knowing: a run that waits for an answer, or was cut off. */
  readonly notes: readonly SessionProblem[];
}

/**
 * Checks a session's log: that each line is an entry this release can read and stands where it may stand, that what one entry
 * says of another is there, that each call is answered once, and that signatures could be true.
 *
 * @param lines - The whole log, oldest first: of a store, `(await store.load(id)).map((value) => ({ value }))`.
 */
export function checkSession(lines: readonly LogLine[]): SessionCheck {
  const { problems, notes } = examineLog(lines);
  return { problems, notes };
}

/** What a repair did. */
export interface SessionRepair {
  /** The repaired log; that of before, as far as it can be read, when there was nothing to do or nothing may be done. */
  readonly entries: readonly SessionEntry[];
  /** What was wrong and what was made of it; empty when there was nothing to do. */
  readonly done: readonly SessionProblem[];
  /** Why nothing may be changed: the log was written by a newer release. */
  readonly refused: SessionProblem | undefined;
}

/**
 * Makes a log that opens, and whose history can be sent, of one that is damaged. What can be read and means something stays;
 * what is lost by it is said.
 *
 * A run that lost an entry and could be resumed is over: nothing whose outcome is lost may happen twice.
 *
 * @param lines - The whole log, oldest first.
 */
export function repairSession(lines: readonly LogLine[]): SessionRepair {
  const { entries, problems, refused } = examineLog(lines);
  return { entries, done: refused === undefined ? problems : [], refused };
}

/** A log as it should be, and what had to be done for it. */
interface ExaminedLog {
  readonly entries: readonly SessionEntry[];
  readonly problems: readonly SessionProblem[];
  readonly notes: readonly SessionProblem[];
  readonly refused: SessionProblem | undefined;
}

/** Reads a log of which nothing is certain, and gives one that opens and whose history can be sent. */
function examineLog(lines: readonly LogLine[]): ExaminedLog {
  const read = readLines(lines);
  const ordered = groupByRun(read);
  const signed = repairSignatures(ordered);
  // Contents that are gone may have been counted by a summary that stands for the first ones.
  const gone = [...read.lost, ...ordered.problems].map(({ position }) => position);
  const runs = repairRuns(signed.log, Math.min(Infinity, ...gone));
  const problems = [...read.problems, ...ordered.problems, ...signed.problems, ...runs.problems].toSorted(byPosition);
  return {
    entries: renumberSteering(runs.items, problems),
    problems,
    notes: [...signed.notes, ...runs.notes].toSorted(byPosition),
    refused: read.refused,
  };
}

function repairRuns(
  log: GroupedLog,
  goneFrom: number,
): { items: Item[]; problems: SessionProblem[]; notes: SessionProblem[] } {
  const { items, contents, problems } = repairHead(log);
  const notes: SessionProblem[] = [];
  let countsHold = problems.length === 0;
  for (const [index, group] of log.groups.entries()) {
    const isLast = index === log.groups.length - 1;
    const repaired = repairRun(group, { isLast, first: contents.length === 0 });
    problems.push(...repaired.problems);
    contents.push(...repaired.contents);
    countsHold &&= repaired.problems.length === 0;
    const { end } = repaired;
    const compaction = end?.entry.compaction;
    if (end === undefined || compaction === undefined) items.push(...repaired.items);
    else {
      const holds = countsHold && goneFrom > end.position && isPlaceToCut(contents, compaction.keepFrom);
      items.push(...repaired.items.map((item) => (item === end && !holds ? withoutSummary(end) : item)));
      if (!holds)
        problems.push({
          position: end.position,
          problem: "it is uncertain what its summary replaces",
          remedy: "the summary is dropped; the whole history is sent until a new one is made",
        });
    }
    if (isLast) notes.push(...noteLastRun(group.run.position, end));
  }
  return { items, problems, notes };
}

function repairHead({ head }: GroupedLog): { items: Item[]; contents: Content[]; problems: SessionProblem[] } {
  const problems: SessionProblem[] = [];
  const contents = head.flatMap(({ entry }) =>
    entry.type === "history" ? entry.parts.flatMap((segment) => segment.contents) : [],
  );
  if (pairCalls(contents, { first: true }).changes.length === 0) return { items: [...head], contents, problems };
  const paired: Content[] = [];
  const items = head.map((item): Item => {
    const { position, entry } = item;
    if (entry.type !== "history") return item;
    const parts = entry.parts.map((segment) => {
      const { contents: kept, changes } = pairCalls(segment.contents, { first: paired.length === 0 });
      problems.push(...changes.map((change) => ({ position, ...change })));
      paired.push(...kept);
      return { ...segment, contents: kept };
    });
    return { position, entry: { ...entry, parts } };
  });
  return { items, contents: paired, problems };
}

function isPlaceToCut(contents: readonly Content[], at: number): boolean {
  const content = contents[at];
  if (content === undefined) return at === contents.length;
  return content.role === "user" && content.parts.every((part) => part.functionResponse === undefined);
}

function withoutSummary({ position, entry: { compaction: _, ...entry } }: Item<EndEntry>): Item {
  return { position, entry };
}

function noteLastRun(runAt: number, end: Item<EndEntry> | undefined): readonly SessionProblem[] {
  const goOn = 'resume() continues it; send() with { unfinished: "cancel" } abandons it';
  if (end === undefined) return [{ position: runAt, problem: "the last run is not over", remedy: goOn }];
  const { stopReason, pending } = end.entry;
  if (!isResumable(end.entry)) return [];
  if (pending === undefined)
    return [
      { position: end.position, problem: `the last run ended with "${stopReason}"`, remedy: "resume() continues it" },
    ];
  const calls = pending.map(({ callId, call, question }) => `${callId} (${call.name}: ${question})`).join(", ");
  return [{ position: end.position, problem: `the last run waits for ${calls}`, remedy: goOn }];
}

/** The entries, in which places in the log are those they have now. */
function renumberSteering(items: readonly Item[], problems: SessionProblem[]): SessionEntry[] {
  const before = (place: number): number => items.filter(({ position }) => position < place).length;
  return items.map(({ position, entry }) => {
    if (entry.type !== "step") return entry;
    const value = readValue(entry.outcome);
    if (!isModelStep(value) || value.steered === undefined) return entry;
    if (value.steered.upTo > position)
      problems.push({
        position,
        problem: "it includes steering that was sent only after it",
        remedy: "its steering cursor is moved to before it",
      });
    const upTo = before(Math.min(value.steered.upTo, position));
    if (upTo === value.steered.upTo) return entry;
    const heard = { ...value, steered: { ...value.steered, upTo } };
    // JSON as it was, in other types.
    return { ...entry, outcome: { ok: true, value: heard as unknown as Json } };
  });
}

function byPosition(a: SessionProblem, b: SessionProblem): number {
  return a.position - b.position;
}

/** A log whose signatures could be true, what was wrong with them, and what is only worth knowing. */
interface RepairedSignatures {
  readonly log: GroupedLog;
  readonly problems: readonly SessionProblem[];
  readonly notes: readonly SessionProblem[];
}

/** Standard or URL-safe base64, as the service takes both. */
const BASE64 = /^[\w+/-]+={0,2}$/;

/** Takes signatures off that cannot be read, and those that were made somewhere else. */
function repairSignatures(log: GroupedLog): RepairedSignatures {
  const problems: SessionProblem[] = [];
  const unsigned: number[] = [];
  /** Where each signature was seen first. */
  const owners = new Map<string, string>();

  const head = mapSame(log.head, (item) => {
    const { position, entry } = item;
    if (entry.type !== "history") return item;
    const parts = mapSame(entry.parts, (segment) => {
      const { origin } = segment;
      // Of unknown origin: what it has of signatures is never sent.
      if (origin === undefined) return segment;
      const contents = mapSame(segment.contents, (content) => repairContent(content, position, origin));
      return contents === segment.contents ? segment : { ...segment, contents };
    });
    return parts === entry.parts ? item : { position, entry: { ...entry, parts } };
  });
  const groups = log.groups.map((group): RunGroup => {
    const { origin } = group.run.entry;
    const repair = <Entry extends Item>(item: Entry): Entry => {
      const entry = mapContents(item.entry, (content) => repairContent(content, item.position, origin));
      // Each kind of entry gives one of its kind.
      return entry === item.entry ? item : { ...item, entry };
    };
    return { ...group, run: repair(group.run), items: group.items.map(repair) };
  });
  return { log: { ...log, head, groups }, problems, notes: noteUnsigned(unsigned) };

  function repairContent(content: Content, position: number, origin: HistoryOrigin): Content {
    if (content.role !== "model") return content;
    const isSigned = /^gemini-(?:[3-9]|\d\d)/.test(origin.family);
    const firstCall = content.parts.findIndex((part) => part.functionCall !== undefined);
    const parts = mapSame(content.parts, (part, index): Part => {
      const isNeeded = isSigned && index === firstCall;
      const { thoughtSignature: signature, ...bare } = part;
      if (signature === undefined || signature === "") {
        if (isNeeded) unsigned.push(position);
        return part;
      }
      const problem = checkSignature(signature, origin);
      if (problem === undefined) return part;
      problems.push({
        position,
        problem,
        remedy: `it is ${isNeeded ? "replaced by a placeholder" : "taken off"}; the model does not see what it thought`,
      });
      return isNeeded ? { ...part, thoughtSignature: PLACEHOLDER_SIGNATURE } : bare;
    });
    return parts === content.parts ? content : { ...content, parts };
  }

  function checkSignature(signature: string, { endpoint, family }: HistoryOrigin): string | undefined {
    if (signature === PLACEHOLDER_SIGNATURE) return undefined;
    if (!BASE64.test(signature) || signature.replace(/=+$/, "").length % 4 === 1) return "a signature is not base64";
    const here = `${family} at ${endpoint}`;
    const owner = owners.get(signature) ?? here;
    owners.set(signature, owner);
    return owner === here ? undefined : `a signature was made by ${owner}, and stands in a run of ${here}`;
  }
}

function noteUnsigned([position, ...others]: readonly number[]): readonly SessionProblem[] {
  if (position === undefined) return [];
  const more = others.length === 0 ? "" : `, and so have ${others.length} more`;
  return [
    {
      position,
      problem: `a first call has no signature${more}, and its model gives one to each`,
      remedy: "a placeholder goes along where one is needed; the model does not see what it thought",
    },
  ];
}

/** An entry of a run with other contents in the places where the model's may stand; the same object when all are the same. */
function mapContents(entry: SessionEntry, change: (content: Content) => Content): SessionEntry {
  switch (entry.type) {
    case "run": {
      const input = mapSame(entry.input, change);
      return input === entry.input ? entry : { ...entry, input };
    }
    case "end": {
      const added = mapSame(entry.added, (ref): ContentRef => ("role" in ref ? change(ref) : ref));
      return added === entry.added ? entry : { ...entry, added };
    }
    case "step": {
      const left = readValue(entry.outcome);
      if (!isModelStep(left)) return entry;
      const { response } = left;
      const content = change(response.content);
      if (content === response.content) return entry;
      const value: ModelStepValue = { ...left, response: { ...response, content } };
      // JSON as it was, in other types.
      return { ...entry, outcome: { ok: true, value: value as unknown as Json } };
    }
    default:
      return entry;
  }
}

/** The same list when no member changes. */
function mapSame<Member>(
  list: readonly Member[],
  change: (member: Member, index: number) => Member,
): readonly Member[] {
  const changed = list.map(change);
  return changed.every((member, i) => member === list[i]) ? list : changed;
}
