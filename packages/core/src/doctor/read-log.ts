import { LOOP_VERSION, type ModelStepValue, numberCalls, stepName, type StepPlace } from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import {
  ENTRY_VERSION,
  checkEntryHeader,
  isKnownType,
  type RunEntry,
  type SessionEntry,
} from "../session/log/entries.ts";
import { questionToken } from "../tool/pending-call.ts";
import { checkEntry, isKnownPlace, placeOfName } from "./entry-shape.ts";

/** One line of a session's log as it was read, unchecked. */
export type LogLine =
  /** Parsed JSON of any shape. */
  | { readonly value: unknown }
  /** A line that could not be read. */
  | {
      /** Why, as a clause: `it is not JSON (...)`. */
      readonly problem: string;
      /** The text found, if any: part of it may still show what the line was. */
      readonly text?: string | undefined;
      /** Its write was cut off, so nothing depends on it. Only at the end of a log. */
      readonly torn?: true | undefined;
    };

/** A defect in a session's log. */
export interface SessionProblem {
  /** Index of the entry in the log, from 0. */
  readonly position: number;
  /** What is wrong, as a sentence without its period. */
  readonly problem: string;
  /** What a repair does about it, and what that loses; if it cannot be repaired, what else can be done. */
  readonly remedy: string;
}

export type Report = (...problem: readonly [position: number, problem: string, remedy: string]) => void;

/** An entry and its place in the log. */
export interface Item<Entry extends SessionEntry = SessionEntry> {
  readonly position: number;
  readonly entry: Entry;
}

/** The same item when the entry is the same. */
export function withEntry<One extends Item>(item: One, entry: SessionEntry): One {
  return entry === item.entry ? item : { ...item, entry };
}

/** The record of a request, or of a check that gave its answer; `undefined` for other entries. */
export function readModelStep(entry: SessionEntry): ModelStepValue | undefined {
  const value: unknown = entry.type === "step" && entry.outcome.ok ? entry.outcome.value : undefined;
  const isOne = isObject(value) && isObject(value["response"]) && isObject(value["response"]["content"]);
  // Its shape was checked.
  return isOne ? (value as unknown as ModelStepValue) : undefined;
}

/** A line that cannot be kept. What is known about it may be wrong. */
interface LostLine {
  readonly position: number;
  readonly type?: string | undefined;
  readonly step?: string | undefined;
  /** Kind of its place. */
  readonly kind?: string | undefined;
}

/** A run's entries, in log order. */
export interface RunGroup {
  run: Item<RunEntry>;
  items: Item<EntryOfRun>[];
  /** Lines among them that cannot be kept, or that belong to a run without a `run` entry. */
  readonly lost: LostLine[];
}

type HeadEntry = Exclude<SessionEntry, { type: "run" }>;

type EntryOfRun = Exclude<SessionEntry, { type: "history" | "run" }>;

/** A log's readable entries, by run. */
export interface ReadLog {
  /** Entries before the first run. Only contents count among them. */
  readonly head: readonly Item<HeadEntry>[];
  readonly groups: readonly RunGroup[];
  /** Why nothing may be changed: a newer release wrote the rest of the log. */
  readonly refused: SessionProblem | undefined;
}

/** Reads a log in any condition. Reports and omits entries that this release cannot read, or that belong to no run. */
export function readLog(lines: readonly LogLine[], report: Report): ReadLog {
  const head: Item<HeadEntry>[] = [];
  const groups: RunGroup[] = [];
  const newer = findNewer(lines);
  for (const [position, line] of lines.entries()) {
    if (position >= newer && "value" in line) continue;
    const group = groups.at(-1);
    // An object, if its header is valid.
    const { value } = line as { readonly value: Record<string, unknown> };
    const wrong = "value" in line ? checkEntryHeader(value) : line.problem;
    const inMembers = wrong === undefined ? checkEntry(value) : undefined;
    const problem = wrong ?? (inMembers && `its ${inMembers}`);
    if (problem !== undefined) {
      const lost = guessLine(position, line);
      const isTorn = "torn" in line && line.torn === true;
      if (!isTorn) group?.lost.push(lost);
      const why = isTorn ? "its write was never confirmed" : describeLost(lost);
      report(position, problem, `it is dropped; ${why}`);
      continue;
    }
    // Its shape was checked.
    const entry = value as unknown as SessionEntry;
    if (entry.type === "run") groups.push({ run: { position, entry }, items: [], lost: [] });
    else if (entry.type === "history" && group !== undefined)
      report(
        position,
        "it holds contents from before the session, but comes after a run",
        "it is dropped together with its contents",
      );
    else if (entry.type === "history") head.push({ position, entry });
    else if (group !== undefined) group.items.push({ position, entry });
    else if (entry.type === "steer" || entry.type === "info" || !isKnownType(entry.type))
      head.push({ position, entry });
    else if (entry.type === "rewind") reportStrayRewind({ position, entry }, report);
    else reportOrphan({ position, entry }, false, report);
  }
  const started = new Set(groups.map(({ run }) => run.entry.runId));
  const before = new Set<string>();
  for (const group of groups) {
    keepOwn(group, started, before, report);
    before.add(group.run.entry.runId);
    placeAnswers(group, report);
    correctNames(group, report);
    dropRepeated(group, report);
  }
  if (newer === lines.length) return { head, groups, refused: undefined };
  const problem = `it and everything after it are newer than version ${ENTRY_VERSION}`;
  const remedy = "nothing is changed; use the release that wrote it or a newer one";
  report(newer, problem, remedy);
  return { head, groups, refused: { position: newer, problem, remedy } };
}

/** Where a newer release took over the log. A newer line with an older one after it is a damaged one. */
function findNewer(lines: readonly LogLine[]): number {
  let from = lines.length;
  for (let position = lines.length - 1; position >= 0; position--) {
    const line = lines[position];
    const version = line !== undefined && "value" in line && isObject(line.value) ? line.value["v"] : undefined;
    if (version === undefined) continue;
    if (typeof version !== "number" || version <= ENTRY_VERSION) break;
    from = position;
  }
  return from;
}

/** Guesses the lost entry from a value that is no entry, or from the text of a line. */
function guessLine(position: number, line: LogLine): LostLine {
  if ("value" in line) {
    const { type, step, place } = isObject(line.value) ? line.value : {};
    const { kind } = isObject(place) ? place : {};
    const word = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
    return { position, type: word(type), step: word(step), kind: word(kind) };
  }
  const start = (line.text ?? "").slice(0, 600);
  const find = (key: string): string | undefined => new RegExp(`"${key}":"([^"\\\\]{1,200})"`).exec(start)?.[1];
  return { position, type: find("type"), step: find("step"), kind: find("kind") };
}

function describeLost({ type = "", step, kind }: LostLine): string {
  if (type === "begin") return `the record that ${step ?? "a step"} started is lost`;
  if (type === "answer") return `an external answer (${step ?? "to a call"}) is lost`;
  if (type === "step" && kind === "model") return `the model's response (${step ?? "of a step"}) is lost`;
  if (type === "step") return `the result of ${step ?? "a step"} is lost`;
  return LOST.get(type) ?? "its content is unknown";
}

const LOST: ReadonlyMap<string, string> = new Map([
  ["history", "the contents the session started with are lost"],
  ["job", "a report about a job is lost"],
  ["run", "a message and everything that followed from it are lost"],
  ["rewind", "the messages that it took back are part of the conversation again"],
  ["resume", "the record that the run was resumed is lost"],
  ["steer", "a steering message is lost"],
  ["turn", "its turn is rebuilt from its steps"],
  ["end", "the end of its run is lost"],
]);

/**
 * Keeps the entries of the group's own run, after correcting a single damaged id.
 *
 * @param started - Ids of all runs of the log.
 * @param before - Ids of the runs that began before the group's.
 */
function keepOwn(group: RunGroup, started: ReadonlySet<string>, before: ReadonlySet<string>, report: Report): void {
  const { position, entry } = group.run;
  const ids = group.items.flatMap((item) => getRunId(item) ?? []);
  const strangers = ids.filter((id) => !started.has(id));
  const [stranger = ""] = strangers;
  const mayHideRun = group.lost.some(({ type }) => type === undefined || type === "run");
  const isOneId = strangers.every((id) => id === stranger);
  if (strangers.length > 0 && isOneId && !mayHideRun && !ids.includes(entry.runId)) {
    const problem = `it starts run ${entry.runId}, but the entries after it belong to run ${stranger}`;
    report(position, problem, "its runId is corrected");
    group.run = { position, entry: { ...entry, runId: stranger } };
  }
  const { runId } = group.run.entry;
  let ended = false;
  const kept: Item<EntryOfRun>[] = [];
  for (const item of group.items) {
    const id = getRunId(item);
    // A job may be abandoned after the next run has begun.
    if (id === undefined || id === runId || (item.entry.type === "job" && before.has(id))) kept.push(item);
    else if (strangers.length === 1 && id === stranger && !mayHideRun && !ended) {
      const problem = `it belongs to run ${id}, which never started, but is in the middle of run ${runId}`;
      report(item.position, problem, "its runId is corrected");
      // An entry with a runId, or it would have no id.
      kept.push({ position: item.position, entry: { ...item.entry, runId } as EntryOfRun });
    } else {
      reportOrphan(item, started.has(id), report);
      // If no other run has this id, the entry may be this run's, with a damaged id.
      if (!started.has(id)) group.lost.push({ position: item.position, type: item.entry.type });
    }
    if (item.entry.type === "end") ended = true;
    if (item.entry.type === "resume") ended = false;
  }
  group.items = kept;
}

function getRunId({ entry }: Item<EntryOfRun>): string | undefined {
  return isKnownType(entry.type) && "runId" in entry ? entry.runId : undefined;
}

function reportOrphan({ position, entry }: Item<EntryOfRun>, hasRun: boolean, report: Report): void {
  const what = "step" in entry ? `${entry.type} ${entry.step}` : entry.type;
  const runId = "runId" in entry ? entry.runId : "";
  const [where, why] = hasRun
    ? ["but is inside another", "nothing reads it there"]
    : ["whose start is not in the log", "it is meaningless without its run"];
  report(position, `${what} belongs to run ${runId}, ${where}`, `it is dropped; ${why}`);
}

/** A rewind to before a run that the conversation does not have. */
export function reportStrayRewind({ position, entry }: Item<RewindEntry>, report: Report): void {
  report(
    position,
    `it goes back to before run ${entry.before}, which is not part of the conversation`,
    "it is dropped; nothing is taken back",
  );
}

export type RewindEntry = Extract<SessionEntry, { type: "rewind" }>;

/** The token of an answer identifies its question: the answer is read only at that question's place. */
function placeAnswers(group: RunGroup, report: Report): void {
  const { runId, loop } = group.run.entry;
  if (loop !== LOOP_VERSION) return;
  const pending = group.items.flatMap(({ entry }) => (entry.type === "end" ? (entry.pending ?? []) : []));
  const made = new Set(group.items.flatMap(({ entry }) => callsMade(entry)));
  const times = group.items.map((_, index) => index + 1);
  group.items = group.items.flatMap((item): readonly Item<EntryOfRun>[] => {
    const { position, entry } = item;
    if (entry.type !== "answer" || entry.place.kind !== "wait" || stepName(entry.place) === entry.step) return [item];
    const { token, place } = entry;
    const known = pending.find((one) => one.token === token);
    // A token that matches no question, or a damaged one, proves no more than the place.
    const time = known && times.find((one) => questionToken(runId, known, one) === token);
    if (known === undefined || time === undefined) {
      if (made.has(place.callId)) return [item];
      report(
        position,
        `it answers ${place.callId}, which no answer calls`,
        "it is dropped; the question is open again",
      );
      return [];
    }
    const own: StepPlace = { ...place, callId: known.callId, question: known.question, time };
    if (stepName(own) === stepName(place)) return [item];
    report(position, `its place is not its question's, ${stepName(own)}`, "its place is corrected");
    return [{ position, entry: { ...entry, place: own } }];
  });
}

function callsMade(entry: EntryOfRun): readonly string[] {
  const content = readModelStep(entry)?.response.content;
  return "place" in entry ? numberCalls(entry.place.turn, content && { content }).map(({ callId }) => callId) : [];
}

/** Gives each step the name of its place. Other versions of the loop may have other names. */
function correctNames(group: RunGroup, report: Report): void {
  if (group.run.entry.loop !== LOOP_VERSION) return;
  group.items = group.items.flatMap((item): readonly Item<EntryOfRun>[] => {
    const { position, entry } = item;
    if (!("place" in entry)) return [item];
    if (!isKnownPlace(entry.place)) {
      const place = placeOfName(entry);
      if (place === undefined) return [item];
      const problem = `its kind ${entry.place.kind} is unknown, and its name is that of a ${place.kind} step`;
      const corrected = { ...entry, place };
      const isWhole = checkEntry(corrected) === undefined;
      const lost = guessLine(position, { value: corrected });
      if (!isWhole) group.lost.push(lost);
      report(position, problem, isWhole ? "its kind is corrected" : `it is dropped; ${describeLost(lost)}`);
      return isWhole ? [{ position, entry: corrected }] : [];
    }
    const step = stepName(entry.place);
    const { place } = entry;
    if (entry.type === "job" && place.kind === "wait" && (step !== entry.step || place.callId !== entry.callId)) {
      // It names its call three times.
      const waits = [entry.callId, place.callId].map((callId) => ({ ...place, callId, time: 1 }));
      const own = waits.find((one) => stepName(one) === entry.step);
      if (own !== undefined) {
        report(position, `it is about ${entry.step}, but names another call or place`, "that is corrected");
        return [{ position, entry: { ...entry, place: own, callId: own.callId } }];
      }
    }
    if (step === entry.step) return [item];
    report(position, `its step is ${entry.step}, at the place of ${step}`, "it is renamed");
    return [{ position, entry: { ...entry, step } }];
  });
}

/** Keeps the last outcome of each step, which is the one that counts. */
function dropRepeated(group: RunGroup, report: Report): void {
  const last = new Map<string, Item>();
  for (const item of group.items)
    if (item.entry.type === "step" || item.entry.type === "answer") last.set(item.entry.step, item);
  group.items = group.items.filter((item) => {
    const { position, entry } = item;
    if ((entry.type !== "step" && entry.type !== "answer") || last.get(entry.step) === item) return true;
    report(position, `${entry.step} is recorded again later`, "it is dropped; the later one counts");
    return false;
  });
}
