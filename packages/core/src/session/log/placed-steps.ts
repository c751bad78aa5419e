import { type GivenCheckValue, stepName, type StepPlace } from "../../durable/run-log.ts";
import { isWaitTimedOut, type Outcome } from "../../durable/steps.ts";
import { findSaid } from "../../loop/calls/check-given.ts";
import { readStop } from "../../loop/guardrails.ts";
import { type OutsideAnswer, readOutsideAnswer } from "../../tool/pending-call.ts";
import type { RunRecord } from "./run-record.ts";

/** A step that succeeded, and what it left. */
export interface PlacedStep<Value = unknown> {
  readonly name: string;
  readonly place: StepPlace;
  readonly value: Value;
}

/** What is recorded of a run's steps. */
type StepsOfRun = Partial<Pick<RunRecord, "outcomes" | "begun">> & {
  readonly entry: Pick<RunRecord["entry"], "guarded">;
};

/** The steps of a run by their places, whatever the version of the loop named them. */
export class PlacedSteps {
  readonly #byPlace = new Map<string, PlacedStep>();
  readonly #byTurn = new Map<number, PlacedStep[]>();
  readonly #begun = new Set<string>();
  readonly #timedOut = new Set<string>();
  readonly #isGuarded: boolean;

  /** @param closed - Only the steps of later turns are of interest. */
  constructor({ entry, outcomes, begun }: StepsOfRun, closed: number = 0) {
    this.#isGuarded = entry.guarded === true;
    for (const [name, { place, outcome }] of outcomes ?? []) if (place.turn > closed) this.add(name, place, outcome);
    for (const { place } of begun?.values() ?? []) if (place.turn > closed) this.begin(place);
  }

  add(name: string, place: StepPlace, outcome: Outcome): void {
    if (isWaitTimedOut(outcome)) this.#timedOut.add(stepName(place));
    if (!outcome.ok) return;
    const step = { name, place, value: outcome.value };
    this.#byPlace.set(stepName(place), step);
    const turn = this.#byTurn.get(place.turn);
    if (turn === undefined) this.#byTurn.set(place.turn, [step]);
    else turn.push(step);
  }

  begin(place: StepPlace): void {
    this.#begun.add(stepName(place));
  }

  /** Turns with a request, a check or a summary, in order. */
  turns(): readonly number[] {
    const isTurn = (steps: readonly PlacedStep[]): boolean =>
      steps.some(({ place: { kind } }) => kind === "model" || kind === "guard" || kind === "compact");
    return [...this.#byTurn].flatMap(([turn, steps]) => (isTurn(steps) ? [turn] : [])).toSorted((a, b) => a - b);
  }

  inTurn(turn: number): readonly PlacedStep[] {
    return this.#byTurn.get(turn) ?? [];
  }

  find<Value>(place: StepPlace): PlacedStep<Value> | undefined {
    return this.#byPlace.get(stepName(place)) as PlacedStep<Value> | undefined;
  }

  /** Whether the effect of a `once` call began. */
  hasBegun(place: StepPlace): boolean {
    return this.#begun.has(stepName(place));
  }

  /** What somebody answered, as guardrails let it pass; `timed-out` when nobody did in time, `withheld` when nobody may read it. */
  findGiven(wait: Extract<StepPlace, { kind: "wait" }>): OutsideAnswer | "timed-out" | "withheld" | undefined {
    if (this.#timedOut.has(stepName(wait))) return "timed-out";
    const step = this.find<unknown>(wait);
    if (step === undefined) return undefined;
    const { turn, question } = wait;
    const check = this.find<GivenCheckValue>({ kind: "guard", turn, side: "input", attempt: 0, wait: step.name });
    // Nobody reads what guardrails have not checked, or have stopped.
    if (check === undefined && this.#isGuarded && findSaid(question, step.value) !== undefined) return "withheld";
    if (readStop("input", check?.value.actions) !== undefined) return "withheld";
    return readOutsideAnswer(question, check?.value.given ?? step.value);
  }
}
