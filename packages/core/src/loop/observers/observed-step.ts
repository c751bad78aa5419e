import {
  type CallStepValue,
  type ModelStepValue,
  type PromptTooLong,
  type SteeringStopped,
  stepName,
  type StepPlace,
} from "../../durable/run-log.ts";
import type { Step } from "../../durable/steps.ts";
import { asOf, type PriceTable } from "../../model/prices.ts";
import type { ExchangeTap } from "../../wire/http/exchange-tap.ts";
import { readOutcome } from "../calls/run-call.ts";
import type { ObserverEvent, RunEvent, StepEnding } from "../events.ts";
import type { LoopStep, ObservedCall } from "./observer.ts";
import type { RunInfo, StepInfo } from "./run-info.ts";

/** Reports one step of a run from what happens in it. */
export class ObservedStep {
  readonly #now: () => number;
  readonly #report: (event: ObserverEvent, at: number) => void;
  readonly #where: { readonly turn: number; readonly step: StepInfo };
  #hasParts = false;
  /** Of the last request. */
  #chunksAt: number[] = [];
  #queuedMs = 0;

  constructor(step: StepInfo, now: () => number, report: (event: ObserverEvent, at: number) => void) {
    this.#where = { turn: step.turn, step };
    this.#now = now;
    this.#report = report;
  }

  start(): void {
    this.#report({ type: "step-start", ...this.#where }, this.#where.step.startedAt);
  }

  /** The step; what it emits is reported, too. */
  watch(live: Step<RunEvent>, traceparent: string | undefined, tap: ExchangeTap | undefined): LoopStep {
    return {
      ...live,
      ...(traceparent !== undefined && { traceparent }),
      ...(tap !== undefined && { tap }),
      emit: (event) => {
        this.#addEvent(event);
        return live.emit(event);
      },
      chunk: () => {
        const at = this.#now();
        this.#chunksAt.push(at);
        if (!this.#hasParts) this.#report({ type: "first-part", ...this.#where }, at);
        this.#hasParts = true;
      },
      queued: (ms) => {
        this.#queuedMs += ms;
      },
      asks: (request, { id: model, origin, endpointKind, streams }) => {
        this.#chunksAt = [];
        const service = {
          ...(origin !== undefined && { endpoint: origin.endpoint }),
          ...(endpointKind !== undefined && { endpointKind }),
          ...(streams !== undefined && { streams }),
        };
        this.#report({ type: "request", request, model, ...service, ...this.#where }, this.#now());
      },
    };
  }

  end(how: StepEnding): void {
    const times = {
      ...(this.#chunksAt.length > 0 && { chunksAt: this.#chunksAt }),
      ...(this.#queuedMs > 0 && { queuedMs: this.#queuedMs }),
    };
    this.#report({ type: "step-end", ...how, ...times, ...this.#where }, this.#now());
  }

  #addEvent(event: RunEvent): void {
    switch (event.type) {
      case "guardrail":
        return this.#report(event, this.#now());
      case "discard":
        this.#hasParts = false;
        return this.#report({ ...event, ...this.#where }, this.#now());
      case "prefix-break":
      case "notice":
      case "tool-retry":
        return this.#report({ ...event, ...this.#where }, this.#now());
      default:
    }
  }
}

/** A step as observers see it. */
export function describeStep(
  run: RunInfo,
  place: StepPlace,
  { key, attempt }: Step<RunEvent>,
  startedAt: number,
  call: ObservedCall | undefined,
): StepInfo {
  const name = stepName(place);
  if (place.kind === "wait" || place.kind === "inner") throw new RangeError(`${name} is not a step of the loop`);
  const { kind, turn } = place;
  return Object.freeze({
    run,
    name,
    place,
    kind: kind === "reroute" ? "route" : kind,
    turn,
    key,
    attempt,
    startedAt,
    ...("phase" in place && { phase: place.phase }),
    ...("callId" in place && { callId: place.callId }),
    ...(call !== undefined && { call: call.call }),
    ...(call?.tool !== undefined && { toolDescription: call.tool.description }),
  });
}

/** What a step's end says about its value. */
export function describeValue(
  kind: StepInfo["kind"],
  value: unknown,
  prices: PriceTable | undefined,
): Partial<StepEnding> {
  // run-log.ts has what each kind of step records.
  if (kind === "call") return { outcome: readOutcome(value as CallStepValue) };
  if (kind !== "model") return {};
  const answer = value as ModelStepValue | PromptTooLong | SteeringStopped;
  if (!("response" in answer)) return {};
  const { response, cost } = answer;
  return { response, ...(cost !== undefined && { cost, ...asOf(prices) }) };
}
