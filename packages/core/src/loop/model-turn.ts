import { type ModelStepValue, modelStepName, type PromptTooLong } from "../durable/run-log.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { classifyFinish } from "../model/finish-reason.ts";
import type { ModelResponse } from "../model/model.ts";
import { findPrices } from "../model/usage.ts";
import { nudges } from "../tool/model-texts.ts";
import { RequestBudget } from "../wire/http/retry.ts";
import { compactWhenFull } from "./compact-history.ts";
import { firstLimit } from "./limits.ts";
import type { LoopInput } from "./loop-input.ts";
import { emitParts, modelStep } from "./model-step.ts";
import { buildModelRequest, type Phase, withoutServerTools } from "./phase.ts";
import { MAX_RECOVERIES, nudgeFor, problemOf, type TurnProblem } from "./recovery.ts";
import type { RunState } from "./run-state.ts";
import { singleStep } from "./single-step.ts";
import { callsIn, userText, visibleText } from "./transcript.ts";

/** What the requests of one turn came to. */
export interface ModelAnswer {
  readonly response: ModelResponse;
  /** More was said to the run meanwhile. */
  readonly steeringWaits: boolean;
  /** What stayed wrong with it after the retries. */
  readonly problem?: TurnProblem | undefined;
  /** More about the problem. */
  readonly detail?: string | undefined;
  /** The checked output, when the phase has one and this is the final answer. */
  readonly output?: unknown;
}

/** Asks until the answer can be used, the retries are spent, or the wall time is up. */
export async function modelTurn(
  input: LoopInput,
  state: RunState,
  phase: Phase,
  isFirst: boolean,
): Promise<ModelAnswer | "wall-time"> {
  const turn = state.turns;
  const tried = new Map<TurnProblem, number>();
  const budget = new RequestBudget(input.maxRequestsPerTurn);
  for (let attempt = 0; ; attempt++) {
    const name = modelStepName(phase.kind, turn, attempt);
    const value = await askModel(input, state, phase, budget, name, isFirst && !tried.has("malformed-call"));
    if (value === "wall-time") {
      state.useUpWallTime(input.limits);
      return value;
    }
    if ("tooLong" in value) {
      await shorten(input, state, phase, name);
      continue;
    }
    const { response, steered, steeringWaits = false } = value;
    if (steered !== undefined) {
      phase.contents.push(...steered.contents);
      state.steeringCursor = steered.upTo;
    }
    state.addActiveTime(value.startedAt, value.endedAt);
    const { prices } = input;
    state.addResponse(response, prices && findPrices(prices, response.envelope.modelVersion ?? input.model.id));
    if (input.emit !== undefined) await input.emit({ type: "response", turn, response });

    let problem = problemOf(response);
    let detail: string | undefined;
    if (problem === undefined && phase.output !== undefined && isFinalAnswer(response)) {
      const checked = await phase.output.parse(visibleText(response.content));
      if (checked.ok) return { response, steeringWaits, output: checked.value };
      problem = "invalid-output";
      detail = checked.problem;
    }
    if (problem === undefined) return { response, steeringWaits };

    const times = (tried.get(problem) ?? 0) + 1;
    tried.set(problem, times);
    if (times > MAX_RECOVERIES[problem] || budget.isSpent || hasNoBudget(input, state))
      return { response, steeringWaits, problem, detail };
    const nudge =
      problem === "invalid-output"
        ? nudges.invalidOutput(detail)
        : nudgeFor(problem, times, [...input.toolset.byName.keys()]);
    input.logger.warn(
      { turn, problem, attempt: times, finishReason: response.finishReason },
      "the answer cannot be used; retrying",
    );
    state.discarded.add(response);
    if (input.emit !== undefined)
      await input.emit({ type: "recover", turn, problem, attempt: times, action: nudge ?? "retried unchanged" });
    if (problem === "invalid-output") phase.contents.push(response.content);
    if (nudge !== undefined) phase.contents.push(userText(nudge));
  }
}

/** One request as one step. The reader sees what the model says while it says it, or at once when a journal has the answer. */
async function askModel(
  input: LoopInput,
  state: RunState,
  phase: Phase,
  budget: RequestBudget,
  name: string,
  isFirst: boolean,
): Promise<ModelStepValue | PromptTooLong | "wall-time"> {
  const turn = state.turns;
  const request = buildModelRequest(input, state, phase, isFirst);
  // The output's own requests hear nothing.
  const cursor = phase.kind === "work" ? state.steeringCursor : undefined;
  let ranHere = false;
  const outcome = await singleStep(input, name, (step) => {
    ranHere = true;
    return modelStep(input, request, turn, step, cursor, budget);
  });
  if (outcome === "wall-time") return outcome;
  const { value } = outcome;
  if (!ranHere && input.emit !== undefined && !("tooLong" in value)) {
    const { steered, response } = value;
    if (steered !== undefined) await input.emit({ type: "steer", turn, contents: steered.contents });
    await emitParts(response.content.parts, turn, { emit: input.emit });
  }
  return value;
}

/** Makes the history shorter after the service refused the prompt. */
async function shorten(input: LoopInput, state: RunState, phase: Phase, name: string): Promise<void> {
  const sent = state.sendable().length;
  if (await compactWhenFull(input, state, true)) {
    // The contents of the output phase begin with a copy of what is sent.
    if (phase.kind === "output") phase.contents.splice(0, sent, ...state.sendable().map(withoutServerTools));
    return;
  }
  throw new RunStepError(
    `${name}: the prompt exceeds the model's limit, and there is no earlier message left to summarize: ` +
      "send less, or shorten long tool results",
    name,
  );
}

/** True when a limit leaves no room for another request of the same turn. */
function hasNoBudget(input: LoopInput, state: RunState): boolean {
  return firstLimit({ ...input, limits: { ...input.limits, turns: undefined } }, state.spent()) !== undefined;
}

function isFinalAnswer(response: ModelResponse): boolean {
  return classifyFinish(response.finishReason) === "complete" && callsIn(response.content).length === 0;
}
