import type { Json, PriceTable, Usage } from "@pollux/core";
import {
  addPriced,
  type Bill,
  billOfLost,
  describeList,
  isMoney,
  type Priced,
  type Pricing,
  sumBills,
  sumRecorded,
  sumUsage,
} from "./cost.ts";
import type {
  BrokenPrefix,
  FailedRequest,
  JobRow,
  LimitRow,
  OtherCost,
  PendingRow,
  RunRow,
  SessionState,
} from "./inspection.ts";
import {
  type Fields,
  fieldsOf,
  firstWords,
  isFields,
  listOf,
  numberOf,
  readError,
  textIn,
  textOf,
} from "./read-values.ts";
import { type ReadPlace, readPlace } from "./step-place.ts";
import { type RecordPlace, TurnFold } from "./turn-fold.ts";
import { readUsage, turnUsage } from "./usage.ts";
import { joinReads, whyHeld } from "./untrusted.ts";

/** Prices and limits that apply to the runs of a session. */
export interface Measures {
  readonly prices?: PriceTable | undefined;
  /** Limits of a run, by name. */
  readonly limits?: { readonly [name: string]: number | undefined } | undefined;
}

/** The state of a run whose log has no end, by the lease of its session. */
export type Unended = "running" | "cut-off";

/** One run, from the entries of a log. */
export class RunFold {
  readonly runId: string;
  readonly position: number;
  readonly entry: Fields;
  readonly turns: Map<number, TurnFold> = new Map();
  /** Positions of entries that belong to no turn: ends and resumes. */
  readonly positions: number[] = [];
  changedAt: number;
  end: Fields | undefined;
  endedAt: number | undefined;
  resumed = 0;
  /** A rewind removed it from the conversation. */
  isTakenBack = false;
  readonly #measures: Measures;
  /** Turns of the runs before it. */
  readonly turnsBefore: number;
  /** Its turns as the session counts them. */
  turnCount = 0;
  /** Its entry and its first turns were not read. */
  isPartial = false;
  /** Another run has begun. */
  isOver = false;
  /** Questions that have been answered, as `callId/question`. */
  readonly #answered: Set<string> = new Set();
  /** The last report of each job, by its call. */
  readonly #progress: Map<string, Fields> = new Map();
  readonly #pricing: Pricing;
  /** Bills of broken answers whose turn is not in the log, with its number. */
  #lost: { readonly turn: number; readonly position: number; readonly bill: Bill }[] = [];
  #last: TurnFold | undefined;

  constructor(runId: string, position: number, entry: Fields, measures: Measures, turnsBefore: number) {
    this.runId = runId;
    this.position = position;
    this.entry = entry;
    this.changedAt = position + 1;
    this.#measures = measures;
    this.#pricing = { prices: measures.prices, model: textOf(entry["model"]) ?? "" };
    this.turnsBefore = turnsBefore;
  }

  /** @returns The problem with the entry, if any. */
  add(type: string, entry: Fields, position: number, at: number): string | undefined {
    this.changedAt = Math.max(this.changedAt, position + 1);
    switch (type) {
      case "begin":
      case "step":
      case "answer":
      case "job":
        return this.#addStep(type, entry, position, at);
      case "turn":
        this.positions.push(position);
        this.#addRecord(entry, { position, path: [] });
        return undefined;
      case "resume":
        this.resumed++;
        this.positions.push(position);
        this.end = undefined;
        this.endedAt = undefined;
        this.#updateLastTurn();
        this.#updatePricing(position);
        return undefined;
      default:
        this.positions.push(position);
        this.end = entry;
        this.endedAt = at;
        this.turnCount = Math.max(this.turnCount, numberOf(entry["turns"]) ?? 0);
        for (const { turn, steps } of listOf(entry["open"]).map(fieldsOf))
          if (typeof turn === "number" && listOf(steps).length === 0) this.#turn(turn).cutOff(position, at);
        this.#updateLastTurn();
        for (const { turn, question } of this.pending()) this.turns.get(turn)?.ask(question);
        for (const [index, record] of listOf(entry["open"]).entries())
          this.#addRecord(fieldsOf(record), { position, path: ["open", index] });
        if (isFields(entry["lost"])) this.#addLost(entry["lost"], position, at);
        this.#updatePricing(position);
        return undefined;
    }
  }

  /** @param position - Of the `rewind` entry. */
  takeBack(position: number): void {
    this.isTakenBack = true;
    this.changedAt = Math.max(this.changedAt, position + 1);
  }

  /** @returns False when there is no such turn yet. A turn starts with its first request, which reaches the log with its answer. */
  addFailedRequest(number: number, request: FailedRequest): boolean {
    const isNext = number === (this.#last?.turn ?? 0) + 1;
    if (!isNext && !this.turns.has(number)) return false;
    const turn = this.#turn(number);
    if (isNext) this.#updateLastTurn();
    this.changedAt = Infinity;
    turn.addFailedRequest(request);
    return true;
  }

  /** @returns False when there is no such turn yet. */
  addBrokenPrefix(number: number, broken: BrokenPrefix): boolean {
    const turn = this.turns.get(number);
    turn?.addBrokenPrefix(broken);
    if (turn !== undefined) this.changedAt = Infinity;
    return turn !== undefined;
  }

  pending(): readonly PendingRow[] {
    return listOf(this.end?.["pending"]).flatMap((one): readonly PendingRow[] => {
      const { turn, callId, token, call, question, path, because, job } = fieldsOf(one);
      const { name, args } = fieldsOf(call);
      const found = readQuestion(question);
      // Answers may have come after the run ended.
      if (typeof callId !== "string" || found === undefined || this.#answered.has(`${callId}/${found}`)) return [];
      return [
        {
          runId: this.runId,
          turn: numberOf(turn) ?? 0,
          callId,
          token: textOf(token) ?? "",
          question: found,
          name: textOf(name) ?? "",
          // As stored.
          args: (args ?? {}) as Json,
          path: Array.isArray(path) ? path.map(String) : undefined,
          because: whyHeld(because, fieldsOf(call)),
          job: found === "job" ? this.#job(callId, fieldsOf(job)) : undefined,
        },
      ];
    });
  }

  get usage(): Usage {
    return isFields(this.end?.["usage"]) ? readUsage(this.end["usage"]) : sumUsage(this.#bills());
  }

  get cost(): Priced {
    return addPriced([...[...this.turns.values()].map((turn) => turn.row()), ...this.otherCosts()]);
  }

  /** Costs outside of the turns in the log. */
  otherCosts(): readonly OtherCost[] {
    const others = this.#lost.map(({ turn, bill }): OtherCost => ({
      what: `Broken answers in turn ${turn} of the run`,
      usage: turnUsage(bill.usage),
      ...sumBills([bill], false),
    }));
    const total = this.#recordedTotal();
    if (total === undefined) return others;
    const rest = total - sumRecorded(this.#bills());
    const unpriced = this.#hasTotal(total) ? textOf(this.end?.["unpriced"]) : undefined;
    if (!isMoney(rest, total) && unpriced === undefined) return others;
    const what = this.isPartial ? "Turns that were not read" : "In the run's total only";
    return [...others, { what, usage: {}, cost: isMoney(rest, total) ? rest : undefined, unpriced }];
  }

  get pricesAsOf(): string | undefined {
    return textOf(this.end?.["pricesAsOf"]) ?? describeList(this.#measures.prices).asOf;
  }

  /** Undefined when unknown, or when parts have different ones. */
  get currency(): string | undefined {
    const { currency: own } = describeList(this.#measures.prices);
    const recorded = textOf(this.end?.["currency"]);
    const { cost, pricedHere } = this.cost;
    return pricedHere === undefined || recorded === own ? recorded : pricedHere === cost ? own : undefined;
  }

  ending(isLast: boolean, unended: Unended): string {
    const state = this.state(isLast, unended);
    return state === "waiting" || this.end === undefined ? state : (textOf(this.end["stopReason"]) ?? state);
  }

  state(isLast: boolean, unended: Unended): SessionState {
    if (this.end === undefined) return isLast ? unended : "cut-off";
    const reason = textOf(this.end["stopReason"]) ?? "";
    if (isLast && this.pending().length > 0) return "waiting";
    return RESUMABLE.has(reason) ? "stopped" : "done";
  }

  /** @param since - Leaves out turns unchanged since the log had that length. */
  row(isLast: boolean, unended: Unended, since: number): RunRow {
    const { runId, position, entry, end, endedAt, resumed, usage, cost: priced } = this;
    const turns = [...this.turns.values()];
    const { metadata, origin } = entry;
    const error = fieldsOf(end?.["error"]);
    const { name, side, reason } = fieldsOf(end?.["guardrail"]);
    const others = this.otherCosts();
    const isPriced = priced.cost !== undefined;
    const toolCalls = numberOf(end?.["toolCalls"]) ?? turns.reduce((sum, { callCount }) => sum + callCount, 0);
    const known = { runId, position, endedAt, resumed, usage, toolCalls, ...priced };
    return {
      ...known,
      isPartial: this.isPartial || undefined,
      at: numberOf(entry["at"]) ?? 0,
      model: textOf(entry["model"]) ?? "",
      agent: textOf(fieldsOf(metadata)["agent"]) ?? (textOf(entry["agent"]) || undefined),
      // As stored.
      origin: origin as Json | undefined,
      metadata: metadata as Json | undefined,
      state: this.state(isLast, unended),
      ending: this.ending(isLast, unended),
      stopReason: textOf(end?.["stopReason"]),
      limit: textOf(fieldsOf(end?.["reached"])["name"]),
      error: typeof error["message"] === "string" ? readError(error) : undefined,
      guardrail:
        typeof name === "string" ? { name, side: textOf(side) ?? "", reason: textOf(reason) ?? "" } : undefined,
      input: firstWords(textIn(listOf(entry["input"]))),
      reads: joinReads(entry["read"]),
      takenBack: this.isTakenBack || undefined,
      pricesAsOf: isPriced ? this.pricesAsOf : undefined,
      currency: isPriced ? this.currency : undefined,
      otherCosts: others.length > 0 ? others : undefined,
      limits: this.#limits(usage, priced.cost, toolCalls),
      turns: turns.filter(({ changedAt }) => changedAt > since).map((turn) => turn.row()),
    };
  }

  /** A job with its latest report. */
  #job(callId: string, { jobId, since, until }: Fields): JobRow {
    const { progress, at } = this.#progress.get(callId) ?? {};
    return {
      jobId: textOf(jobId),
      since: numberOf(since),
      until: numberOf(until),
      progress: progress as Json | undefined,
      reportedAt: numberOf(at),
    };
  }

  #addStep(type: "begin" | "step" | "answer" | "job", entry: Fields, position: number, at: number): string | undefined {
    const text = textOf(entry["step"]) ?? "";
    const place = readPlace(entry);
    // Steps of an unknown kind belong to the turn in progress.
    const number = place.kind === "other" ? (this.#last?.turn ?? 0) : place.turn;
    const turn = this.#turn(number);
    if (isOfTurn(type, place, entry) && !this.isOver) {
      turn.number = this.turnsBefore + number;
      this.turnCount = Math.max(this.turnCount, number);
    }
    const step = { place, text, position, at };
    if (type === "begin") turn.begin(step);
    else if (type === "step") turn.end(step, entry["outcome"]);
    else if (type === "job" && !isFields(entry["outcome"])) {
      turn.report(step, entry["progress"]);
      if (place.kind === "wait") this.#progress.set(place.callId, entry);
    } else {
      turn.answer(step, entry[type === "job" ? "outcome" : "value"]);
      if (place.kind === "wait") this.#answered.add(`${place.callId}/${place.question}`);
    }
    return place.kind === "other" ? `its step "${firstWords(text, 60)}" is not one that a run makes` : undefined;
  }

  /** Records what a turn added to the conversation. */
  #addRecord(record: Fields, place: RecordPlace): void {
    const turn = this.turns.get(numberOf(record["turn"]) ?? 0);
    if (turn !== undefined) turn.record = { ...place, fields: record };
  }

  /** Passes the run's stop reason to the last turn, which may have nothing but failed requests. */
  #updateLastTurn(): void {
    this.#last?.setEndReason(textOf(this.end?.["stopReason"]));
  }

  /** Bills broken answers to their turn, which may only exist after a resume. */
  #addLost(lost: Fields, position: number, at: number): void {
    const bill = billOfLost(lost, at, this.#pricing);
    const number = numberOf(lost["turn"]) ?? 0;
    const turn = this.turns.get(number);
    if (turn === undefined) this.#lost.push({ turn: number, position, bill });
    else turn.addBills(`lost:${position}`, [bill]);
    if (turn !== undefined) turn.changedAt = Math.max(turn.changedAt, position + 1);
  }

  /** Updates whether the run's recorded total covers the turns' unpriced answers. */
  #updatePricing(position: number): void {
    const hasTotal = this.#hasTotal(this.#recordedTotal());
    for (const turn of this.turns.values()) turn.setHasTotal(hasTotal, position);
  }

  /** The total that the run recorded; undefined without an end or prices. */
  #recordedTotal(): number | undefined {
    const { cost, unpriced, pricesAsOf } = this.end ?? {};
    return numberOf(cost) ?? (unpriced === undefined && pricesAsOf === undefined ? undefined : 0);
  }

  /** False for a run with an unpriced model whose total is no more than its steps recorded: then other answers have no price. */
  #hasTotal(total: number | undefined): boolean {
    if (total === undefined) return false;
    return this.end?.["unpriced"] === undefined || isMoney(total - sumRecorded(this.#bills()), total);
  }

  #bills(): readonly Bill[] {
    return [...[...this.turns.values()].flatMap(({ bills }) => bills), ...this.#lost.map(({ bill }) => bill)];
  }

  #turn(number: number): TurnFold {
    const known = this.turns.get(number);
    if (known !== undefined) return known;
    const turn = new TurnFold(number, this.#pricing, this.#last);
    this.turns.set(number, turn);
    const lost = this.#lost;
    this.#lost = lost.filter((one) => one.turn !== number);
    for (const one of lost) if (one.turn === number) turn.addBills(`lost:${one.position}`, [one.bill]);
    this.#last = turn;
    return turn;
  }

  #limits(usage: Usage, cost: number | undefined, toolCalls: number): readonly LimitRow[] {
    const { limits } = this.#measures;
    if (limits === undefined) return [];
    const used: { readonly [name: string]: number } = {
      turns: numberOf(this.end?.["turns"]) ?? this.turns.size,
      toolCalls,
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens + usage.thoughtTokens,
      totalTokens: usage.totalTokens,
      wallTimeMs: this.#activeMs(),
      cost: cost ?? 0,
    };
    return Object.entries(limits).flatMap(([name, limit]) =>
      limit === undefined || !Object.hasOwn(used, name) ? [] : [{ name, limit, used: used[name] ?? 0 }],
    );
  }

  /** Time in steps, without waiting for people. */
  #activeMs(): number {
    let ms = 0;
    for (const turn of this.turns.values()) {
      let until = 0;
      for (const { at, ms: took = 0, kind } of turn.row().steps.toSorted((a, b) => a.at - b.at)) {
        if (kind === "wait") continue;
        ms += Math.max(0, at + took - Math.max(at, until));
        until = Math.max(until, at + took);
      }
    }
    return ms;
  }
}

/** True for a step that makes a turn count in its session. */
function isOfTurn(type: string, { kind }: ReadPlace, entry: Fields): boolean {
  const isCounted = kind === "model" || kind === "guard" || kind === "compact";
  return type === "step" && isCounted && fieldsOf(entry["outcome"])["ok"] === true;
}

const RESUMABLE: ReadonlySet<string> = new Set(["failed", "aborted", "limit", "needs-approval", "needs-outcome"]);

function readQuestion(value: unknown): PendingRow["question"] | undefined {
  return value === "approval" || value === "outcome" || value === "unknown-outcome" || value === "job"
    ? value
    : undefined;
}
