import type { ModelStepValue } from "../durable/run-log.ts";
import type { Json } from "../internal/json.ts";
import { PLACEHOLDER_SIGNATURE } from "../model/history/change-calls.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import { type EndEntry, isResumable, type SessionEntry } from "../session/log/entries.ts";
import type { StepRef, TurnRecord } from "../session/log/turn-record.ts";
import type { Content, Part } from "../wire/types/content.ts";
import { pairCalls } from "./pair-calls.ts";
import {
  type Item,
  type LogLine,
  type ReadLog,
  readLog,
  readModelStep,
  type Report,
  reportStrayRewind,
  type RewindEntry,
  type RunGroup,
  type SessionProblem,
  withEntry,
} from "./read-log.ts";
import { repairRun } from "./repair-run.ts";

/** The result of a check. */
export interface SessionCheck {
  /** What keeps the session from opening, or its history from being sent; in log order. */
  readonly problems: readonly SessionProblem[];
  /** What is valid but worth knowing: a run that waits for an answer, or was interrupted. */
  readonly notes: readonly SessionProblem[];
}

/**
 * Checks a session's log: that each line is an entry this release can read, in an allowed place; that everything an entry refers to
 * is there; that each call is answered once; and that signatures can be valid.
 *
 * @param lines - The whole log, oldest first; from a store, `(await store.load(id)).map((value) => ({ value }))`.
 */
export function checkSession(lines: readonly LogLine[]): SessionCheck {
  const { problems, notes } = examineLog(lines);
  return { problems, notes };
}

/** The result of a repair. */
export interface SessionRepair {
  /** The repaired log, without entries of a newer release. */
  readonly entries: readonly SessionEntry[];
  /** What was wrong and what was done about it; empty when nothing was wrong, or nothing may be changed. */
  readonly done: readonly SessionProblem[];
  /** Why nothing may be changed: the log was written by a newer release. */
  readonly refused: SessionProblem | undefined;
}

/**
 * Repairs a damaged log, so that it opens and its history can be sent. Keeps everything that can be read and still makes sense;
 * reports losses.
 *
 * A resumable run that lost an entry becomes final: a step whose outcome is lost must not happen twice.
 *
 * @param lines - The whole log, oldest first.
 */
export function repairSession(lines: readonly LogLine[]): SessionRepair {
  let { entries, problems, refused } = examineLog(lines);
  if (refused !== undefined) return { entries, done: [], refused };
  const done = [...problems];
  // A repair may disagree with other damage.
  for (let round = 1; round < MAX_ROUNDS && problems.length > 0; round++) {
    ({ entries, problems } = examineLog(entries.map((value) => ({ value }))));
    done.push(...problems);
  }
  return { entries, done, refused };
}

/** How often a log with several kinds of damage is repaired: each round leaves less. */
const MAX_ROUNDS = 5;

function examineLog(lines: readonly LogLine[]): SessionCheck & Omit<SessionRepair, "done"> {
  const problems: SessionProblem[] = [];
  const notes: SessionProblem[] = [];
  const report: Report = (position, problem, remedy) => void problems.push({ position, problem, remedy });
  const read = readLog(lines, report);
  // A summary counts the contents it replaces, and some of those may be gone.
  const goneFrom = inLogOrder(problems)[0]?.position ?? Infinity;
  const signed = repairSignatures(read, report);
  const { items, contents, isChanged } = repairHead(signed.log, report);
  let countsHold = !isChanged;
  const before = new Map<string, number>();
  for (const [index, whole] of signed.log.groups.entries()) {
    const end = whole.items.findIndex(isRewind);
    const group = end < 0 ? whole : { ...whole, items: whole.items.slice(0, end) };
    const later = end < 0 ? [] : whole.items.slice(end);
    const rewinds = later.filter(isRewind);
    const isLast = index === signed.log.groups.length - 1 && rewinds.length === 0;
    before.set(group.run.entry.runId, contents.length);
    const known = problems.length;
    const repaired = repairRun(group, { isLast, first: contents.length === 0 }, report);
    contents.push(...repaired.contents);
    countsHold &&= problems.length === known;
    const summary = repaired.items.findLast((item) => cutIn(item) !== undefined);
    const cut = summary && cutIn(summary);
    const isUncertain =
      summary !== undefined &&
      cut !== undefined &&
      !(countsHold && goneFrom > summary.position && isPlaceToCut(contents, cut));
    if (isUncertain)
      report(
        summary.position,
        "it is uncertain what its summary replaces",
        "the summary is dropped; the whole history is sent until a new one is made",
      );
    items.push(...(isUncertain ? repaired.items.map(withoutSummary) : repaired.items));
    if (isLast) notes.push(...noteLastRun(group.run.position, repaired.end));
    const stray = rewinds.filter((rewind) => !takeBack(contents, before, rewind.entry.before));
    items.push(...later.filter((item) => !stray.some((rewind) => rewind === item)));
    for (const rewind of stray) reportStrayRewind(rewind, report);
    countsHold &&= stray.length === 0;
  }
  const entries = renumberSteering(items, report);
  return {
    entries,
    problems: inLogOrder(problems),
    notes: inLogOrder([...signed.notes, ...notes]),
    refused: read.refused,
  };
}

function repairHead({ head }: ReadLog, report: Report) {
  const contents = head.flatMap(({ entry }) =>
    entry.type === "history" ? entry.parts.flatMap((segment) => segment.contents) : [],
  );
  if (pairCalls(contents, true, () => {}) === contents) return { items: [...head], contents, isChanged: false };
  const paired: Content[] = [];
  const items = head.map((item): Item => {
    const { position, entry } = item;
    if (entry.type !== "history") return item;
    const parts = entry.parts.map((segment) => {
      const kept = pairCalls(segment.contents, paired.length === 0, (...change) => report(position, ...change));
      paired.push(...kept);
      return { ...segment, contents: kept };
    });
    return { position, entry: { ...entry, parts } };
  });
  return { items, contents: paired, isChanged: true };
}

function isRewind(item: Item): item is Item<RewindEntry> {
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

/** Index of the first content that the last summary in an entry keeps. */
function cutIn({ entry }: Item): number | undefined {
  const turns = entry.type === "turn" ? [entry] : entry.type === "end" ? entry.open : [];
  return turns.flatMap(({ steps }) => steps.flatMap(({ keepFrom }) => keepFrom ?? [])).at(-1);
}

function withoutSummary(item: Item): Item {
  const withoutCut = (step: StepRef): StepRef => {
    const { keepFrom, ...rest } = step;
    return keepFrom === undefined ? step : rest;
  };
  return withEntry(
    item,
    mapTurns(item.entry, (turn) => withMember(turn, "steps", mapSame(turn.steps, withoutCut))),
  );
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
function renumberSteering(items: readonly Item[], report: Report): readonly SessionEntry[] {
  const before = (place: number): number => items.filter(({ position }) => position < place).length;
  return items.map(({ position, entry }): SessionEntry => {
    const value = readModelStep(entry);
    if (value?.steered === undefined) return entry;
    if (value.steered.upTo > position)
      report(position, "it includes steering messages from after it", "its steering cursor is moved to before it");
    const upTo = before(Math.min(value.steered.upTo, position));
    if (upTo === value.steered.upTo) return entry;
    return withModelStep(entry, { ...value, steered: { ...value.steered, upTo } });
  });
}

function withModelStep(entry: SessionEntry, value: ModelStepValue): SessionEntry {
  // The same JSON under another type.
  return { ...entry, outcome: { ok: true, value: value as unknown as Json } } as SessionEntry;
}

function inLogOrder(problems: readonly SessionProblem[]): readonly SessionProblem[] {
  return problems.toSorted((a, b) => a.position - b.position);
}

/** Standard or URL-safe base64: the service accepts both. */
const BASE64 = /^[\w+/-]+={0,2}$/;

/** Removes signatures that are not base64, and signatures from another model or endpoint. */
function repairSignatures(log: ReadLog, report: Report) {
  const unsigned: number[] = [];
  /** Where each signature was seen first. */
  const owners = new Map<string, string>();
  const repair = <Entry extends SessionEntry>(item: Item<Entry>, runOrigin?: HistoryOrigin): Item<Entry> =>
    withEntry(
      item,
      mapContents(item.entry, (content, origin = runOrigin) => repairContent(content, item.position, origin)),
    );
  const head = log.head.map((item) => repair(item));
  const groups = log.groups.map((group): RunGroup => {
    const { origin } = group.run.entry;
    return { ...group, run: repair(group.run, origin), items: group.items.map((item) => repair(item, origin)) };
  });
  return { log: { ...log, head, groups }, notes: noteUnsigned(unsigned) };

  function repairContent(content: Content, position: number, origin: HistoryOrigin | undefined): Content {
    // Signatures of unknown origin are never sent.
    if (content.role !== "model" || origin === undefined) return content;
    const isSigned = /^gemini-(?:[3-9]|\d\d)/.test(origin.family);
    const firstCall = content.parts.find((part) => part.functionCall !== undefined);
    const parts = mapSame(content.parts, (part): Part => {
      const isNeeded = isSigned && part === firstCall;
      const { thoughtSignature: signature, ...bare } = part;
      if (signature === undefined || signature === "") {
        if (isNeeded) unsigned.push(position);
        return part;
      }
      const problem = checkSignature(signature, origin);
      if (problem === undefined) return part;
      const change = isNeeded ? "replaced by a placeholder" : "removed";
      report(position, problem, `it is ${change}; the model does not see its earlier thoughts`);
      return isNeeded ? { ...part, thoughtSignature: PLACEHOLDER_SIGNATURE } : bare;
    });
    return withMember(content, "parts", parts);
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

/** An entry with changed contents, where a history passes their origin; the same object when nothing changes. */
function mapContents(entry: SessionEntry, change: (content: Content, origin?: HistoryOrigin) => Content): SessionEntry {
  switch (entry.type) {
    case "history": {
      const parts = mapSame(entry.parts, (segment) => {
        const contents = mapSame(segment.contents, (content) => change(content, segment.origin));
        return withMember(segment, "contents", contents);
      });
      return withMember(entry, "parts", parts);
    }
    case "run":
      return withMember(entry, "input", mapSame(entry.input, change));
    case "step": {
      const value = readModelStep(entry);
      if (value === undefined) return entry;
      const response = withMember(value.response, "content", change(value.response.content));
      return response === value.response ? entry : withModelStep(entry, { ...value, response });
    }
    default:
      return mapTurns(entry, (turn) => {
        const contents = mapSame(turn.contents, (ref) => ("role" in ref ? change(ref) : ref));
        return withMember(turn, "contents", contents);
      });
  }
}

/** An entry with changed turns; the same object when nothing changes. */
function mapTurns(entry: SessionEntry, change: <Turn extends TurnRecord>(turn: Turn) => Turn): SessionEntry {
  if (entry.type === "turn") return change(entry);
  return entry.type === "end" ? withMember(entry, "open", mapSame(entry.open, change)) : entry;
}

function withMember<It extends object, Name extends keyof It>(it: It, name: Name, value: It[Name]): It {
  return it[name] === value ? it : { ...it, [name]: value };
}

function mapSame<Member>(list: readonly Member[], change: (member: Member) => Member): readonly Member[] {
  const changed = list.map((member) => change(member));
  return changed.every((member, index) => member === list[index]) ? list : changed;
}
