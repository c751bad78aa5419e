import { type CallStepValue, stepName, type StepPlace, type ModelStepRecord } from "../../durable/run-log.ts";
import type { Step } from "../../durable/steps.ts";
import { asOf, type PriceTable } from "../../model/prices.ts";
import { readOutcome, type TurnCall } from "../calls/call-state.ts";
import type { ObserverEvent, RunEvent, StepEnding } from "../events.ts";
import type { LoopStep } from "./observer.ts";
import type { StepInfo } from "./run-info.ts";

/** The call that a step runs. */
export type ObservedCall = Pick<TurnCall, "call" | "tool">;

/** Executes the steps of a run that has observers. */
export interface StepExecutor {
  /**
   * Executes a step. Whatever observers do, `work` is called exactly once, synchronously.
   *
   * @param agent - Name of the agent that leads.
   * @param call - The call that the step runs, if any.
   */
  execute<T>(
    place: StepPlace,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    agent: string,
    call: ObservedCall | undefined,
  ): Promise<T>;
}

/** A step whose observers learn what happens in it. @param found - What they add to the step. */
export function observeStep(
  live: Step<RunEvent>,
  step: StepInfo,
  found: Pick<LoopStep, "traceparent" | "tap">,
  now: () => number,
  report: (event: ObserverEvent, at: number) => void,
): { readonly live: LoopStep; readonly end: (how: StepEnding) => void } {
  const where = { turn: step.turn, step };
  let hasParts = false;
  /** Of the last request. */
  let chunksAt: number[] = [];
  let queuedMs = 0;
  return {
    live: {
      ...live,
      ...found,
      emit: (event) => {
        if (event.type === "discard") hasParts = false;
        switch (event.type) {
          case "discard":
          case "prefix-break":
          case "notice":
          case "tool-retry":
            report({ ...event, ...where }, now());
            break;
          case "guardrail":
            report(event, now());
            break;
          default:
        }
        return live.emit(event);
      },
      chunk: () => {
        const at = now();
        chunksAt.push(at);
        if (!hasParts) report({ type: "first-part", ...where }, at);
        hasParts = true;
      },
      queued: (ms) => {
        queuedMs += ms;
      },
      asks: (request, { id: model, origin, endpointKind, streams }) => {
        chunksAt = [];
        const service = {
          ...(origin !== undefined && { endpoint: origin.endpoint }),
          ...(endpointKind !== undefined && { endpointKind }),
          ...(streams !== undefined && { streams }),
        };
        report({ type: "request", request, model, ...service, ...where }, now());
      },
    },
    end: (how) => {
      const times = { ...(chunksAt.length > 0 && { chunksAt }), ...(queuedMs > 0 && { queuedMs }) };
      report({ type: "step-end", ...how, ...times, ...where }, now());
    },
  };
}

/** A step as observers see it. */
export function describeStep(
  who: Pick<StepInfo, "run" | "agent">,
  place: StepPlace,
  { key, attempt }: Step<RunEvent>,
  startedAt: number,
  call: ObservedCall | undefined,
): StepInfo {
  const name = stepName(place);
  if (place.kind === "wait" || place.kind === "inner") throw new RangeError(`${name} is not a step of the loop`);
  const { kind, turn } = place;
  return Object.freeze({
    ...who,
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
  const answer = value as ModelStepRecord;
  if (!("response" in answer)) return {};
  const { response, cost } = answer;
  return { response, ...(cost !== undefined && { cost, ...asOf(prices) }) };
}
