import type { ModelStepValue } from "../durable/run-log.ts";
import type { Json } from "../internal/json.ts";
import { type HistoryOrigin, PLACEHOLDER_SIGNATURE } from "../model/history/import-history.ts";
import { type ContentRef, type EndEntry, isResumable, type SessionEntry } from "../session/log/entries.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { pairCalls } from "./pair-calls.ts";
import {
  type Item,
  type LogLine,
  type ReadLog,
  readLog,
  type RunGroup,
  type SessionProblem,
  strayRewind,
} from "./read-log.ts";
import { isModelStep, readValue } from "./rebuild-run.ts";
import { repairRun } from "./repair-run.ts";

/** What a check found. */
export interface SessionCheck {
  /** What keeps the session from opening, or its history from being sent; in log order. */
  readonly problems: readonly SessionProblem[];
  /** What is valid but worth knowing: a run that waits for an answer, or was interrupted. */
  readonly notes: readonly SessionProblem[];
}

/**
 * Checks a session's log: that each line is an entry this release can read, in a place where it may be; that everything an entry
 * refers to is there; that each call is answered once; and that signatures can be valid.
 *
 * @param lines - The whole log, oldest first; from a store, `(await store.load(id)).map((value) => ({ value }))`.
 */
export function checkSession(lines: readonly LogLine[]): SessionCheck {
  const { problems, notes } = examineLog(lines);
  return { problems, notes };
}

/** What a repair did. */
export interface SessionRepair {
  /** The repaired log, without what a newer release wrote. */
  readonly entries: readonly SessionEntry[];
  /** What was wrong and what was done about it; empty when there was nothing to do, or nothing may be changed. */
  readonly done: readonly SessionProblem[];
  /** Why nothing may be changed: the log was written by a newer release. */
  readonly refused: SessionProblem | undefined;
}

/**
 * Repairs a damaged log, so that it opens and its history can be sent. Everything that can be read and still makes sense is kept;
 * losses are reported.
 *
 * A resumable run that lost an entry becomes final: nothing whose outcome is lost may happen twice.
 *
 * @param lines - The whole log, oldest first.
 */
export function repairSession(lines: readonly LogLine[]): SessionRepair {
  const { entries, problems, refused } = examineLog(lines);
  return { entries, done: refused === undefined ? problems : [], refused };
}

interface ExaminedLog extends SessionCheck {
  /** The repaired log. */
  readonly entries: readonly SessionEntry[];
  readonly refused: SessionProblem | undefined;
}

function examineLog(lines: readonly LogLine[]): ExaminedLog {
  const read = readLog(lines);
  const signed = repairSignatures(read);
  // A summary counts the contents it replaces, and some of those may be gone.
  const goneFrom = inLogOrder(read.problems)[0]?.position ?? Infinity;
  const runs = repairRuns(signed.log, goneFrom);
  const steered = renumberSteering(runs.items);
  return {
    entries: steered.entries,
    problems: inLogOrder([...read.problems, ...signed.problems, ...runs.problems, ...steered.problems]),
    notes: inLogOrder([...signed.notes, ...runs.notes]),
    refused: read.refused,
  };
}

function repairRuns(
  log: ReadLog,
  goneFrom: number,
): { items: Item[]; problems: SessionProblem[]; notes: SessionProblem[] } {
  const { items, contents, problems } = repairHead(log);
  const notes: SessionProblem[] = [];
  let countsHold = problems.length === 0;
  /** How many contents came before each run of the conversation. */
  const before = new Map<string, number>();
  for (const [index, whole] of log.groups.entries()) {
    const { group, later } = splitGroup(whole);
    const rewinds = later.filter(isRewind);
    const isLast = index === log.groups.length - 1 && rewinds.length === 0;
    before.set(group.run.entry.runId, contents.length);
    const repaired = repairRun(group, { isLast, first: contents.length === 0 });
    problems.push(...repaired.problems);
    contents.push(...repaired.contents);
    countsHold &&= repaired.problems.length === 0;
    const { end } = repaired;
    const cut = end?.entry.compaction?.keepFrom;
    const isCertain = countsHold && goneFrom > (end?.position ?? 0);
    if (end === undefined || cut === undefined || (isCertain && isPlaceToCut(contents, cut)))
      items.push(...repaired.items);
    else {
      items.push(...repaired.items.map((item) => (item === end ? withoutSummary(end) : item)));
      problems.push({
        position: end.position,
        problem: "it is uncertain what its summary replaces",
        remedy: "the summary is dropped; the whole history is sent until a new one is made",
      });
    }
    if (isLast) notes.push(...noteLastRun(group.run.position, end));
    const stray = rewinds.filter((rewind) => !takeBack(contents, before, rewind.entry.before));
    items.push(...later.filter((item) => !stray.some((rewind) => rewind === item)));
    problems.push(...stray.map(strayRewind));
    countsHold &&= stray.length === 0;
  }
  return { items, problems, notes };
}

function repairHead({ head }: ReadLog): { items: Item[]; contents: Content[]; problems: SessionProblem[] } {
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

/** A run's own entries, and those from the first rewind on. */
function splitGroup(group: RunGroup): { readonly group: RunGroup; readonly later: RunGroup["items"] } {
  const end = group.items.findIndex(isRewind);
  if (end < 0) return { group, later: [] };
  return { group: { ...group, items: group.items.slice(0, end) }, later: group.items.slice(end) };
}

function isRewind(item: Item): item is Item<Extract<SessionEntry, { type: "rewind" }>> {
  return item.entry.type === "rewind";
}

/** @returns False when the conversation does not have that run. */
function takeBack(contents: Content[], before: Map<string, number>, runId: string): boolean {
  const length = before.get(runId);
  if (length === undefined) return false;
  contents.length = length;
  const runs = [...before.keys()];
  for (const gone of runs.slice(runs.indexOf(runId))) before.delete(gone);
  return true;
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
  const remedy = "resume() continues it; the next message closes it";
  if (end === undefined) return [{ position: runAt, problem: "the last run is not over", remedy }];
  const { position, entry } = end;
  if (!isResumable(entry)) return [];
  if (entry.pending === undefined)
    return [{ position, problem: `the last run ended with "${entry.stopReason}"`, remedy: "resume() continues it" }];
  const calls = entry.pending.map(({ callId, call, question }) => `${callId} (${call.name}: ${question})`).join(", ");
  return [{ position, problem: `the last run waits for ${calls}`, remedy }];
}

/** The entries, with steering cursors adjusted to their new places in the log. */
function renumberSteering(items: readonly Item[]): { entries: SessionEntry[]; problems: SessionProblem[] } {
  const problems: SessionProblem[] = [];
  const before = (place: number): number => items.filter(({ position }) => position < place).length;
  const entries = items.map(({ position, entry }): SessionEntry => {
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
    return withValue(entry, { ...value, steered: { ...value.steered, upTo } });
  });
  return { entries, problems };
}

function withValue(entry: StepEntry, value: ModelStepValue): StepEntry {
  // The same JSON under another type.
  return { ...entry, outcome: { ok: true, value: value as unknown as Json } };
}

function inLogOrder(problems: readonly SessionProblem[]): readonly SessionProblem[] {
  return problems.toSorted((a, b) => a.position - b.position);
}

/** Standard or URL-safe base64: the service accepts both. */
const BASE64 = /^[\w+/-]+={0,2}$/;

/** Removes signatures that are not base64, and those from another model or endpoint. */
function repairSignatures(log: ReadLog): SessionCheck & { readonly log: ReadLog } {
  const problems: SessionProblem[] = [];
  const unsigned: number[] = [];
  /** Where each signature was seen first. */
  const owners = new Map<string, string>();
  const repair = <One extends Item>(item: One, runOrigin?: HistoryOrigin): One => {
    const { position } = item;
    const entry = mapContents(item.entry, runOrigin, (content, origin) => repairContent(content, position, origin));
    // An entry keeps its type.
    return entry === item.entry ? item : { ...item, entry };
  };
  const head = log.head.map((item) => repair(item));
  const groups = log.groups.map((group): RunGroup => {
    const { origin } = group.run.entry;
    return { ...group, run: repair(group.run, origin), items: group.items.map((item) => repair(item, origin)) };
  });
  return { log: { ...log, head, groups }, problems, notes: noteUnsigned(unsigned) };

  function repairContent(content: Content, position: number, origin: HistoryOrigin | undefined): Content {
    // Signatures of unknown origin are never sent.
    if (content.role !== "model" || origin === undefined) return content;
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
        remedy: `it is ${isNeeded ? "replaced by a placeholder" : "removed"}; the model does not see its earlier thoughts`,
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
    return owner === here ? undefined : `a signature was made by ${owner}, but is in a run of ${here}`;
  }
}

function noteUnsigned([position, ...others]: readonly number[]): readonly SessionProblem[] {
  if (position === undefined) return [];
  const more = others.length === 0 ? "" : ` (nor do ${others.length} more)`;
  return [
    {
      position,
      problem: `the first call of a turn has no signature${more}, although its model signs each`,
      remedy: "a placeholder is sent where one is required; the model does not see its earlier thoughts",
    },
  ];
}

type StepEntry = Extract<SessionEntry, { type: "step" }>;

/**
 * An entry with other contents, where model contents may be; the same object when nothing changes.
 *
 * @param runOrigin - Of the run's contents. Imported contents have their own.
 */
function mapContents(
  entry: SessionEntry,
  runOrigin: HistoryOrigin | undefined,
  change: (content: Content, origin: HistoryOrigin | undefined) => Content,
): SessionEntry {
  const changeOwn = (content: Content): Content => change(content, runOrigin);
  switch (entry.type) {
    case "history": {
      const parts = mapSame(entry.parts, (segment) => {
        const contents = mapSame(segment.contents, (content) => change(content, segment.origin));
        return contents === segment.contents ? segment : { ...segment, contents };
      });
      return parts === entry.parts ? entry : { ...entry, parts };
    }
    case "run": {
      const input = mapSame(entry.input, changeOwn);
      return input === entry.input ? entry : { ...entry, input };
    }
    case "end": {
      const added = mapSame(entry.added, (ref): ContentRef => ("role" in ref ? changeOwn(ref) : ref));
      return added === entry.added ? entry : { ...entry, added };
    }
    case "step": {
      const value = readValue(entry.outcome);
      if (!isModelStep(value)) return entry;
      const content = changeOwn(value.response.content);
      if (content === value.response.content) return entry;
      return withValue(entry, { ...value, response: { ...value.response, content } });
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
