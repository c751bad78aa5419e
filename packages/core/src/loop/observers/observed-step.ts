import {
  type CallStepValue,
  type ModelStepValue,
  parseStepName,
  type PromptTooLong,
  type SteeringStopped,
} from "../../durable/run-log.ts";
import type { Step } from "../../durable/steps.ts";
import { computeCost, findPrices, type PriceTable } from "../../model/usage.ts";
import { readOutcome } from "../calls/run-call.ts";
import type { RunEvent } from "../events.ts";
import type {
  LoopStep,
  Observation,
  ObservationBase,
  ObservedCall,
  RunInfo,
  StepEndObservation,
  StepInfo,
} from "./observer.ts";

/** An observation without the fields that all of a run's have in common. */
export type Fact<T = Observation> = T extends unknown ? Omit<T, Exclude<keyof ObservationBase, "at">> : never;

/** Reports one step of a run from what happens in it. */
export class ObservedStep {
  readonly info: StepInfo;
  readonly #now: () => number;
  readonly #report: (fact: Fact) => void;
  #hasParts = false;
  /** Of the last request. */
  #chunksAt: number[] = [];
  #queuedMs = 0;

  constructor(info: StepInfo, now: () => number, report: (fact: Fact) => void) {
    this.info = info;
    this.#now = now;
    this.#report = report;
  }

  /** The step; what it emits is reported, too. */
  watch(live: Step<RunEvent>, traceparent: string | undefined): LoopStep {
    const { info: step } = this;
    return {
      ...live,
      ...(traceparent !== undefined && { traceparent }),
      emit: (event) => {
        this.#addEvent(event);
        return live.emit(event);
      },
      chunk: () => {
        const at = this.#now();
        this.#chunksAt.push(at);
        if (!this.#hasParts) this.#report({ type: "first-part", at, step });
        this.#hasParts = true;
      },
      queued: (ms) => {
        this.#queuedMs += ms;
      },
      asks: (request, { id: model, origin, endpointKind, streams }) => {
        this.#chunksAt = [];
        this.#report({
          type: "request",
          at: this.#now(),
          step,
          request,
          model,
          ...(origin !== undefined && { endpoint: origin.endpoint }),
          ...(endpointKind !== undefined && { endpointKind }),
          ...(streams !== undefined && { streams }),
        });
      },
    };
  }

  end(how: Pick<StepEndObservation, "ok" | "error" | "response" | "cost" | "outcome">): void {
    this.#report({
      type: "step-end",
      at: this.#now(),
      step: this.info,
      ...how,
      ...(this.#chunksAt.length > 0 && { chunksAt: this.#chunksAt }),
      ...(this.#queuedMs > 0 && { queuedMs: this.#queuedMs }),
    });
  }

  #addEvent(event: RunEvent): void {
    const at = this.#now();
    const { info: step } = this;
    if (event.type === "guardrail") this.#report({ at, ...event });
    else if (event.type === "prefix-break") this.#report({ type: "prefix-break", at, step, fields: event.fields });
    else if (event.type === "notice") this.#report({ type: "notice", at, step, notice: event.notice });
    else if (event.type === "tool-retry") {
      const { attempt, delayMs, error } = event;
      this.#report({ type: "tool-retry", at, step, attempt, delayMs, error });
    } else if (event.type === "discard") {
      this.#hasParts = false;
      this.#report({ type: "discard", at, step, reason: event.reason });
    }
  }
}

/** A step as observers see it. */
export function describeStep(
  run: RunInfo,
  name: string,
  { key, attempt }: Step<RunEvent>,
  startedAt: number,
  call: ObservedCall | undefined,
): StepInfo {
  const parsed = parseStepName(name);
  if (parsed.kind === "wait" || parsed.kind === "other") throw new RangeError(`${name} is not a step of the loop`);
  const { kind, turn } = parsed;
  return Object.freeze({
    run,
    name,
    kind,
    turn,
    key,
    attempt,
    startedAt,
    ...("phase" in parsed && { phase: parsed.phase }),
    ...("callId" in parsed && { callId: parsed.callId }),
    ...(call !== undefined && { call: call.call }),
    ...(call?.tool !== undefined && { toolDescription: call.tool.description }),
  });
}

/** What a step's end says about its value. */
export function describeValue(
  { run, kind }: StepInfo,
  value: unknown,
  priceTable: PriceTable | undefined,
): Partial<StepEndObservation> {
  // run-log.ts has what each kind of step records.
  if (kind === "call") return { outcome: readOutcome(value as CallStepValue) };
  if (kind !== "model") return {};
  const answer = value as ModelStepValue | PromptTooLong | SteeringStopped;
  if (!("response" in answer)) return {};
  const { response, prepared } = answer;
  try {
    const modelId = response.envelope.modelVersion ?? prepared?.model?.id ?? run.model;
    const prices = findPrices(priceTable, modelId);
    return { response, ...(prices !== undefined && { cost: computeCost(response.usage, prices) }) };
  } catch {
    // A price table may be a function; the loop calls it too, and throws its error.
    return { response };
  }
}
