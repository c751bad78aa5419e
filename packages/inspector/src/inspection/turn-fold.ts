import type { Usage } from "@pollux/core";
import { citationsOf, sourcesOf } from "./turn-citations.ts";
import { callNames, callsIn } from "./answer-calls.ts";
import { type Bill, billsOfStep, type Pricing, sumBills, sumUsage } from "./cost.ts";
import type { TurnFlag } from "./flags.ts";
import type { BrokenPrefix, FailedRequest, StepRow, TurnRow } from "./inspection.ts";
import { type Fields, fieldsOf, listOf, textOf } from "./read-values.ts";
import { answerRow, answerWords, begunRow, outcomeRow, reportRow, type StepInput } from "./step-row.ts";
import type { ReadPlace } from "./step-place.ts";
import { readsOf, whyHeld } from "./untrusted.ts";
import { readUsage, turnUsage } from "./usage.ts";

/** Where the log records what a turn added to the conversation. */
export interface RecordPlace {
  readonly position: number;
  readonly path: readonly (string | number)[];
}

/** One turn, from the entries of a log. */
export class TurnFold {
  readonly turn: number;
  /** As in {@link TurnRow}. */
  number = 0;
  /** As in {@link TurnRow}. */
  readonly agent: string | undefined;
  /** Positions of its entries in the log. */
  readonly positions: number[] = [];
  /** What it added to the conversation, once the log has that. */
  record: (RecordPlace & { readonly fields: Fields }) | undefined;
  /** Length of the log after the entry that changed it last. */
  changedAt = 0;
  /** Its bills by step; a step recorded again replaces its earlier bills. */
  readonly #bills: Map<string, readonly Bill[]> = new Map();
  readonly #pricing: Pricing;
  /** As in `sumBills`. */
  #hasTotal = false;
  readonly #previous: TurnFold | undefined;
  readonly #steps: Map<string, StepRow> = new Map();
  #flags: readonly TurnFlag[] = [];
  #calls: readonly string[] = [];
  #response: unknown;
  /** Decisions about its calls. */
  #routes: readonly Fields[] = [];
  #phase: "output" | undefined;
  /** Name of the agent that leads the next turn. */
  #leader: string | undefined;
  #answers = 0;
  #finishReason: string | undefined;
  readonly #failedRequests: FailedRequest[] = [];
  #brokenPrefix: BrokenPrefix | undefined;
  #endReason: string | undefined;
  /** Times at which the run ended before the turn had any outcome. */
  readonly #cutOffs: { readonly at: number; readonly ms: number }[] = [];
  #row: TurnRow | undefined;

  constructor(turn: number, pricing: Pricing, previous: TurnFold | undefined) {
    this.turn = turn;
    this.#pricing = pricing;
    this.#previous = previous;
    this.agent = previous === undefined ? undefined : previous.#leader;
    this.#leader = this.agent;
  }

  begin(step: StepInput): void {
    this.#add(step);
    // A later `begin` doesn't reopen a step with an outcome.
    if (!this.#steps.has(step.text)) this.#steps.set(step.text, begunRow(step, this.#calls));
  }

  end(step: StepInput, outcome: unknown): void {
    this.#add(step);
    const { place, text, at } = step;
    const value = fieldsOf(fieldsOf(outcome)["value"]);
    if (place.kind === "model") this.#addAnswer(place, value);
    const made = outcomeRow(step, this.#calls, outcome);
    const held = place.kind === "route" || place.kind === "reroute" ? this.#held(place, outcome) : "";
    const row = { ...made, ...readsOf(place.kind, value), ...(held !== "" && { detail: held }) };
    if (held !== "") this.#flag("held");
    this.#steps.set(text, row);
    this.addBills(text, billsOfStep(value, place.kind === "model", at, this.#pricing));
    if (place.kind !== "compact" && listOf(value["nested"]).length > 0) this.#flag("nested");
    this.#addFlags(row, value);
    if (place.kind !== "route") return;
    this.#routes = listOf(fieldsOf(outcome)["value"]).map(fieldsOf);
    for (const { do: route } of this.#routes) {
      if (route === "ask-approval") this.#flag("approval");
      if (route === "ask-outcome") this.#flag("outcome");
    }
  }

  answer(step: StepInput, value: unknown): void {
    this.#add(step);
    const { place, text } = step;
    const isOutcome = place.kind === "wait" && place.question === "outcome";
    const given = isOutcome ? readsOf("call", this.#routes[callIndex(place)] ?? {}) : {};
    const row = { ...answerRow(step, this.#calls, value), ...given };
    // A row of the call before the question stays beside the answer.
    const isAfter = this.#steps.has(text) && this.#steps.get(text)?.state !== "waiting";
    this.#steps.set(isAfter ? `${text}/answer` : text, row);
    this.#flag(place.kind === "wait" && place.question === "approval" ? "approval" : "outcome");
  }

  /** Adds a report of an unfinished job. */
  report(step: StepInput, progress: unknown): void {
    this.#add(step);
    this.#steps.set(step.text, reportRow(step, this.#calls, progress));
  }

  /** The run ended with a question about a call of this turn. */
  ask(question: string): void {
    this.#row = undefined;
    this.#flag(question === "approval" ? "approval" : "outcome");
  }

  /** Adds a failed request from the kept exchanges. The turn counts as changed from then on, since the log doesn't show it. */
  addFailedRequest(request: FailedRequest): void {
    this.changedAt = Infinity;
    this.#row = undefined;
    this.#failedRequests.push(request);
  }

  /** Adds a broken prefix from the kept exchanges, which the log doesn't show. */
  addBrokenPrefix(broken: BrokenPrefix): void {
    this.changedAt = Infinity;
    this.#row = undefined;
    this.#brokenPrefix = broken;
    this.#flag("prefix-break");
  }

  /** The run ended before the turn had any outcome. */
  cutOff(position: number, at: number): void {
    this.changedAt = Math.max(this.changedAt, position + 1);
    this.#row = undefined;
    this.#cutOffs.push({ at, ms: 0 });
  }

  /** @param reason - Why its run ended, unless resumed: this last turn gets no further answer. */
  setEndReason(reason: string | undefined): void {
    this.#row = undefined;
    this.#endReason = reason;
  }

  row(): TurnRow {
    this.#row ??= this.#build();
    return this.#row;
  }

  #build(): TurnRow {
    const steps = [...this.#steps.values()];
    let [startedAt, endedAt] = [Infinity, 0];
    for (const { at, ms = 0 } of [...steps, ...this.#failedRequests, ...this.#cutOffs]) {
      startedAt = Math.min(startedAt, at);
      endedAt = Math.max(endedAt, at + ms);
    }
    const isUnanswered = this.#failedRequests.length > 0 && this.#answers === 0;
    const isFailed = this.#endReason === "failed";
    const isOpen = (isUnanswered && this.#endReason === undefined) || steps.some(({ state }) => state === "open");
    const flags = [...this.#flags, ...this.#retries(isUnanswered)];
    if (isUnanswered && isFailed && !flags.includes("error")) flags.push("error");
    if (isOpen) flags.push("unfinished");
    const isCut = this.#answers === 0 && !isOpen && (isUnanswered || CUT.has(this.#endReason ?? ""));
    if (isCut && !flags.includes("error")) flags.push("no-answer");
    if (this.#repeatsCalls()) flags.push("repeated-calls");
    const keys = this.#callKeys();
    if (new Set(keys).size < keys.length) flags.push("same-calls");
    if (this.#previous !== undefined && this.#previous.failedCalls().some((key) => keys.includes(key)))
      flags.push("call-again");
    return {
      number: this.number,
      turn: this.turn,
      phase: this.#phase,
      agent: this.agent,
      startedAt: startedAt === Infinity ? 0 : startedAt,
      endedAt: isOpen ? undefined : endedAt,
      steps,
      usage: turnUsage(this.usage),
      ...sumBills(this.bills, this.#hasTotal),
      text: answerWords(this.#response),
      finishReason: this.#finishReason,
      failedRequests: this.#failedRequests.length > 0 ? [...this.#failedRequests] : undefined,
      brokenPrefix: this.#brokenPrefix,
      flags,
    };
  }

  /** Sets the bills of one of its steps, or of answers lost before it was answered. */
  addBills(name: string, bills: readonly Bill[]): void {
    if (bills.length > 0 || this.#bills.has(name)) this.#bills.set(name, bills);
    this.#row = undefined;
  }

  get bills(): readonly Bill[] {
    return [...this.#bills.values()].flat();
  }

  get usage(): Usage {
    return sumUsage(this.bills);
  }

  /** @param hasTotal - As in `sumBills`. @param position - Of the entry that changed it. */
  setHasTotal(hasTotal: boolean, position: number): void {
    if (this.#hasTotal === hasTotal) return;
    this.#hasTotal = hasTotal;
    if (!this.bills.some(({ recorded, isAnswer }) => isAnswer && recorded === undefined)) return;
    this.changedAt = Math.max(this.changedAt, position + 1);
    this.#row = undefined;
  }

  /** Calls of the last answer. */
  get callCount(): number {
    return this.#calls.length;
  }

  /** The calls of the last answer with their arguments, to recognize repetitions. */
  callsKey(): string {
    return JSON.stringify(this.#callKeys());
  }

  /** Its calls whose response is a failure, in the format of `callsKey`. */
  failedCalls(): readonly string[] {
    const keys = this.#callKeys();
    const last = new Map<number, StepRow>();
    for (const step of this.#steps.values()) if (step.kind === "call") last.set(callOf(step.name), step);
    return [...last].flatMap(([index, { state }]) => (state === "failed" ? (keys[index] ?? []) : []));
  }

  #callKeys(): readonly string[] {
    if (this.#calls.length === 0) return [];
    return callsIn(this.#response).map(({ call }) => JSON.stringify([call["name"], call["args"] ?? {}]));
  }

  /** How the run handled failed requests. In an unanswered turn, nothing followed the last one. */
  #retries(isUnanswered: boolean): ReadonlySet<"heal" | "retry"> {
    const sentAgain = isUnanswered ? this.#failedRequests.slice(0, -1) : this.#failedRequests;
    // A refused request is only repeated with a change.
    return new Set(sentAgain.map(({ status }) => (status === 400 || status === 404 ? "heal" : "retry")));
  }

  #repeatsCalls(): boolean {
    const previous = this.#previous;
    return (
      previous !== undefined &&
      this.#calls.length > 0 &&
      this.#calls.length === previous.callCount &&
      this.#calls[0] === previous.#calls[0] &&
      this.callsKey() === previous.callsKey()
    );
  }

  /** Why calls are held, in sentences. */
  #held(place: ReadPlace, outcome: unknown): string {
    const calls = callsIn(this.#response).slice(callIndex(place));
    const routes = listOf(fieldsOf(outcome)["value"]).map(fieldsOf);
    const why = routes.flatMap(({ because }, index) => whyHeld(because, fieldsOf(calls[index]?.call)) ?? []);
    return [...new Set(why)].join(" ");
  }

  #flag(flag: TurnFlag): void {
    if (!this.#flags.includes(flag)) this.#flags = [...this.#flags, flag];
  }

  #add({ position }: StepInput): void {
    this.positions.push(position);
    this.changedAt = Math.max(this.changedAt, position + 1);
    this.#row = undefined;
  }

  #addAnswer(place: Extract<ReadPlace, { kind: "model" }>, value: ReturnType<typeof fieldsOf>): void {
    if (place.phase === "output") this.#phase = "output";
    if (value["steered"] !== undefined) this.#flag("steering");
    if (value["tooLong"] === true) this.#flag("error");
    if (listOf(value["checked"]).length > 0) this.#flag("guardrail");
    const { breaks } = fieldsOf(value["prepared"]);
    if (listOf(breaks).length > 0) this.#flag("prefix-break");
    if (value["response"] === undefined) return;
    const { usage, finishReason, candidate } = fieldsOf(value["response"]);
    if (this.#answers++ > 0) this.#flag("recovery");
    this.#response = value["response"];
    this.#calls = callNames(this.#response);
    this.#finishReason = textOf(finishReason);
    if (finishReason === "MAX_TOKENS") this.#flag("truncated");
    const { groundingMetadata } = fieldsOf(candidate);
    if (groundingMetadata !== undefined || readUsage(usage).searchQueries > 0) this.#flag("search");
    const response = value["response"];
    if (groundingMetadata !== undefined && citationsOf(response, sourcesOf([response])).lost.length > 0)
      this.#flag("lost-citation");
  }

  #addFlags(row: StepRow, value: ReturnType<typeof fieldsOf>): void {
    if (row.kind === "compact") this.#flag("compaction");
    const next = row.kind === "call" ? textOf(value["handoff"]) : undefined;
    if (next !== undefined) {
      this.#leader = next;
      this.#flag("handoff");
    }
    if (row.kind === "guard" && listOf(value["actions"]).length > 0) this.#flag("guardrail");
    if (row.kind === "call" && (row.state === "failed" || row.state === "unknown")) this.#flag("call-failed");
    if (row.kind === "model" && row.state === "failed") this.#flag("error");
    if (row.state === "unknown" && row.kind === "call") this.#flag("outcome");
  }
}

/** Ends of a run that leave a turn without its answer. */
const CUT: ReadonlySet<string> = new Set(["failed", "aborted", "damaged"]);

/** The position of a call, by the name of its step: `call:3.0`, `call:3.0/1`. */
function callOf(name: string): number {
  return Number(/^\w+:\d+\.(\d+)/.exec(name)?.[1] ?? -1);
}

/** The index of the call that a step is about; 0 for a step about all calls. */
function callIndex(place: ReadPlace): number {
  return "callId" in place ? Number(place.callId.slice(place.callId.lastIndexOf(".") + 1)) : 0;
}
