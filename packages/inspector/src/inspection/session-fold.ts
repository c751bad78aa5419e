import type { Json } from "@pollux/core";
import { addUsage, NO_USAGE } from "@pollux/core/model";
import { ENTRY_VERSION, type LogLine, type SessionProblem } from "@pollux/core/doctor";
import { addPriced, currencyOf, type Priced } from "./cost.ts";
import type { EarlierRow, HistoryRow, SessionOverview, SessionState, SteeringRow } from "./inspection.ts";
import type { ExchangeRow } from "./exchange-details.ts";
import type { ExchangeFold } from "./exchange-fold.ts";
import { type Fields, fieldsOf, firstWords, isFields, listOf, numberOf, textIn, textOf } from "./read-values.ts";
import { type Measures, RunFold, type Unended } from "./run-fold.ts";
import { joinReads } from "./untrusted.ts";

/** Facts about a session that its log doesn't have. */
export interface BesideLog {
  /** A process holds the session's lease. */
  readonly isRunning?: boolean | undefined;
  /** Kept exchanges of the session. */
  readonly exchanges?: number | undefined;
}

/** Totals of the log before the entries that were read. */
export interface BeforeFold {
  readonly title?: string | undefined;
  readonly createdAt?: number | undefined;
  readonly entries: number;
  /** Turns of the runs before the first one read. */
  readonly turns: number;
  /** Tokens that those runs used. */
  readonly totalTokens: number;
  /** Their cost. */
  readonly priced: Priced;
  /** The known members of the run that was active at that place. */
  readonly run?: (Fields & { readonly runId: string }) | undefined;
}

/**
 * A session's log, read entry by entry. Any entry is accepted: an unreadable one becomes a problem in the list, never an
 * error. Adding an entry takes time in proportion to that entry alone.
 */
export class SessionFold {
  readonly id: string;
  /** As stored. */
  readonly entries: Json[] = [];
  readonly runs: RunFold[] = [];
  readonly problems: SessionProblem[] = [];
  /** The unread part of the log. */
  readonly before: BeforeFold | undefined;
  readonly #measures: Measures;
  readonly #byId: Map<string, RunFold> = new Map();
  #history: HistoryRow | undefined;
  #steerings: SteeringRow[] = [];
  /** Runs have read the steering messages before this position. */
  #readUpTo = 0;
  #exchangesSeen = 0;
  /** Failed requests of turns that are not in the log yet. */
  #failed: ExchangeRow[] = [];
  /** Requests that broke the prefix, of such turns. */
  #broken: ExchangeRow[] = [];
  #title: string | undefined;
  #firstWords = "";
  /** The run whose message provided the first words. */
  #opening: RunFold | undefined;
  /** Value of `#readUpTo` when each run started. */
  readonly #readBefore: Map<RunFold, number> = new Map();
  #createdAt: number | undefined;
  #updatedAt: number | undefined;

  /** @param before - Given when the first entry added is not the first of the log. */
  constructor(id: string, measures: Measures = {}, before?: BeforeFold) {
    this.id = id;
    this.#measures = measures;
    this.before = before;
    if (before === undefined) return;
    // Indices must match positions in the log.
    this.entries.length = before.entries;
    this.#title = before.title;
    this.#createdAt = before.createdAt;
    if (before.run === undefined) return;
    const run = new RunFold(before.run.runId, before.entries, before.run, measures, before.turns);
    run.isPartial = true;
    this.runs.push(run);
    this.#byId.set(run.runId, run);
  }

  /** Folds all given entries. */
  static of(id: string, entries: readonly unknown[], measures?: Measures, before?: BeforeFold): SessionFold {
    const fold = new SessionFold(id, measures, before);
    for (const entry of entries) fold.add(entry);
    return fold;
  }

  get length(): number {
    return this.entries.length;
  }

  run(runId: string): RunFold | undefined {
    return this.#byId.get(runId);
  }

  add(value: unknown): void {
    const position = this.entries.length;
    const entry = readableEntry(value);
    this.entries.push(entry);
    const problem = this.#read(entry, position);
    if (problem !== undefined)
      this.problems.push({ position, problem, remedy: "the log view shows it, other views leave it out" });
  }

  /**
   * Adds failed requests and broken prefixes from kept exchanges to their turns; for turns that are not in the log yet, as soon as they
   * are.
   */
  addExchanges(exchanges: ExchangeFold): void {
    const { rows } = exchanges;
    for (const row of rows.slice(this.#exchangesSeen)) {
      if (row.status !== 200 || row.error !== undefined) this.#failed.push(row);
      // Agents inside calls have prefixes of their own.
      if (row.brokenAt !== undefined && row.parent === undefined) this.#broken.push(row);
    }
    this.#exchangesSeen = rows.length;
    this.#failed = this.#failed.filter((row) => {
      const { n, runId, turn, step, at, ms, status } = row;
      const request = { n, step, at, ms, status, said: exchanges.failureOf(n) };
      return this.#byId.get(runId)?.addFailedRequest(turn, request) !== true;
    });
    this.#broken = this.#broken.filter(
      ({ n, runId, turn, brokenAt }) =>
        this.#byId.get(runId)?.addBrokenPrefix(turn, { n, field: "", ...brokenAt }) !== true,
    );
  }

  /** @param since - Leaves out runs and turns unchanged since the log had that length. */
  overview({ isRunning = false, exchanges = 0 }: BesideLog = {}, since: number = 0): SessionOverview {
    const unended: Unended = isRunning ? "running" : "cut-off";
    const last = this.#last();
    const costs = this.runs.map((run) => run.cost);
    const earlier = this.#earlier();
    const usage = this.runs.reduce((sum, { usage: used }) => {
      return { ...addUsage(sum, used), contextTokens: used.contextTokens || sum.contextTokens };
    }, NO_USAGE);
    return {
      id: this.id,
      title: this.title === "" ? undefined : this.title,
      state: this.state(isRunning),
      ending: this.ending(isRunning),
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
      length: this.length,
      since: since > 0 ? since : undefined,
      earlier: earlier?.row,
      history: this.#history,
      runs: this.runs
        // The state of the last run may change without a new entry.
        .filter((run, index) => run.changedAt > since || index >= this.runs.length - 2)
        .map((run) => run.row(run === last, unended, since)),
      pending: last?.pending() ?? [],
      queued: this.#steerings.filter(({ position }) => position >= this.#readUpTo),
      problems: this.problems,
      usage: { ...usage, totalTokens: usage.totalTokens + (earlier?.totalTokens ?? 0) },
      ...addPriced([earlier?.priced ?? {}, ...costs]),
      pricesAsOf: this.runs.findLast((run, index) => (costs[index]?.cost ?? 0) !== 0 && run.pricesAsOf !== undefined)
        ?.pricesAsOf,
      currency: currencyOf(this.runs.map((run, index) => ({ ...costs[index], currency: run.currency }))),
      exchanges,
    };
  }

  /** The unread part of the log, with its totals. */
  #earlier():
    | { readonly row: EarlierRow; readonly totalTokens: number | undefined; readonly priced: Priced }
    | undefined {
    const { before } = this;
    if (before === undefined) return undefined;
    const first = this.runs.flatMap(({ turns }) => [...turns.values()]).find(({ number }) => number > 0);
    // The usage of a run's unread turns is only known at its end.
    const isKnown = this.runs.every(({ isPartial, end }) => !isPartial || end !== undefined);
    return {
      row: {
        entries: before.entries,
        turns: first === undefined ? before.turns : first.number - 1,
        areTotalsKnown: isKnown,
      },
      totalTokens: isKnown ? before.totalTokens : undefined,
      priced: isKnown ? before.priced : { unpriced: NOT_READ },
    };
  }

  get title(): string {
    return this.#title ?? this.#firstWords;
  }

  ending(isRunning: boolean): string | undefined {
    return this.#last()?.ending(true, isRunning ? "running" : "cut-off");
  }

  state(isRunning: boolean): SessionState {
    return this.#last()?.state(true, isRunning ? "running" : "cut-off") ?? "done";
  }

  /** The current run of the conversation; undefined right after a rewind. */
  #last(): RunFold | undefined {
    const last = this.runs.at(-1);
    return last?.isTakenBack === true ? undefined : last;
  }

  /** @returns What is wrong with the entry, if anything. */
  #read(value: unknown, position: number): string | undefined {
    if (!isFields(value)) return "it is not a JSON object";
    if (typeof value[UNREADABLE] === "string") return value[UNREADABLE];
    const type = textOf(value["type"]);
    const at = numberOf(value["at"]);
    if (at !== undefined) {
      this.#createdAt ??= at;
      this.#updatedAt = at;
    }
    const version = value["v"];
    if (type === undefined || typeof version !== "number") return "it has no version and type";
    switch (type) {
      case "history":
        return this.#readHistory(value);
      case "run":
        return this.#beginRun(value, position);
      case "steer": {
        const contents = listOf(value["contents"]);
        this.#steerings.push({ position, text: firstWords(textIn(contents)) });
        this.#takeFirstWords(contents);
        return undefined;
      }
      case "rewind":
        return this.#goBack(textOf(value["before"]) ?? "", position);
      case "info":
        if (value["title"] !== undefined) this.#title = textOf(value["title"]);
        return undefined;
      case "begin":
      case "step":
      case "answer":
      case "job":
      case "turn":
      case "resume":
      case "end":
        return this.#addToRun(type, value, position, at ?? 0);
      default:
        // A newer release that shares the store may add types of entries.
        return version === ENTRY_VERSION ? undefined : `it is of version ${version}, which this release can't read`;
    }
  }

  #readHistory(entry: Fields): string | undefined {
    const contents = listOf(entry["parts"]).flatMap((part) => listOf(fieldsOf(part)["contents"]));
    const { session } = fieldsOf(entry["from"]);
    this.#history = {
      reads: joinReads(listOf(entry["parts"]).flatMap((part) => listOf(fieldsOf(part)["read"]))),
      contents: (this.#history?.contents ?? 0) + contents.length,
      from: textOf(session),
    };
    this.#takeFirstWords(contents);
    return this.runs.length > 0 ? "it has contents from before the session, but comes after a run" : undefined;
  }

  #beginRun(entry: Fields, position: number): string | undefined {
    const runId = textOf(entry["runId"]);
    if (runId === undefined) return "its runId is missing";
    const isRepeated = this.#byId.has(runId);
    // Two runs need different ids.
    const name = isRepeated ? `${runId} (entry ${position})` : runId;
    const last = this.runs.at(-1);
    const turnsBefore = last === undefined ? (this.before?.turns ?? 0) : last.turnsBefore + last.turnCount;
    if (last !== undefined) last.isOver = true;
    const run = new RunFold(name, position, entry, this.#measures, turnsBefore);
    this.runs.push(run);
    this.#readBefore.set(run, this.#readUpTo);
    this.#byId.set(run.runId, run);
    if (isRepeated) this.#byId.set(runId, run);
    if (this.#takeFirstWords(listOf(entry["input"]))) this.#opening = run;
    return isRepeated ? `another run has its id, ${firstWords(runId, 60)}` : undefined;
  }

  #addToRun(type: string, entry: Fields, position: number, at: number): string | undefined {
    const runId = textOf(entry["runId"]) ?? "";
    const run = this.#byId.get(runId);
    if (run === undefined && this.before !== undefined) return undefined;
    if (run === undefined) return `it belongs to run ${firstWords(runId, 60)}, whose start is not in the log`;
    const { steered } = fieldsOf(fieldsOf(entry["outcome"])["value"]);
    this.#readUpTo = Math.max(this.#readUpTo, numberOf(fieldsOf(steered)["upTo"]) ?? 0);
    const problem = run.add(type, entry, position, at);
    // A job may end after the next run started.
    return run === this.runs.at(-1) || type === "job"
      ? problem
      : `it belongs to run ${firstWords(runId, 60)}, which is over`;
  }

  /** Removes a run and all later ones from the conversation, with the steering messages that they read. */
  #goBack(runId: string, position: number): string | undefined {
    const first = this.#byId.get(runId) ?? (this.before && this.runs[0]);
    if (first === undefined) return `it goes back to before run ${firstWords(runId, 60)}, which is not in the log`;
    for (const run of this.runs.slice(this.runs.indexOf(first))) run.takeBack(position);
    this.#steerings = this.#steerings.filter(({ position: sent }) => sent < first.position || sent >= this.#readUpTo);
    this.#readUpTo = this.#readBefore.get(first) ?? 0;
    if (this.#opening?.isTakenBack === true) {
      this.#opening = undefined;
      this.#firstWords = "";
    }
    return undefined;
  }

  /** @returns True if these contents have the first words of the session. */
  #takeFirstWords(contents: readonly unknown[]): boolean {
    if (this.#firstWords !== "") return false;
    const messages = contents.filter((content) => fieldsOf(content)["role"] !== "model");
    this.#firstWords = firstWords(textIn(messages), 80);
    return this.#firstWords !== "";
  }
}

/** Names the part of a session whose cost is unknown. */
export const NOT_READ = "turns that were not read";

/** Member of an object that stands for an unreadable entry. */
const UNREADABLE = "unreadable";

/** Stands for an unreadable line of a log among entries. */
export function unreadableEntry({ problem, text }: Extract<LogLine, { problem: string }>): Json {
  return { [UNREADABLE]: problem, ...(text !== undefined && { text }) };
}

/** An entry of a log whose lines may be damaged. */
export function entryOf(line: LogLine): Json {
  // Stores return JSON.
  return "value" in line ? (line.value as Json) : unreadableEntry(line);
}

/** More than any valid entry has, and far less than a stack can hold. */
const MAX_LEVELS = 600;

/** An entry as stored, or a stand-in for one that nests too deeply even for `JSON.stringify`. */
export function readableEntry(value: unknown): Json {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_LEVELS) return unreadableEntry({ problem: `it nests more than ${MAX_LEVELS} levels` });
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  // Stores return JSON.
  return value as Json;
}
