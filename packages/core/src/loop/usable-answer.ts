import { RunStepError } from "../errors/run-errors.ts";
import { classifyFinish } from "../model/finish-reason.ts";
import type { ModelResponse } from "../model/model.ts";
import { pricesFor } from "../model/prices.ts";
import { askModel } from "./ask-model.ts";
import { compactWhenFull } from "./compact.ts";
import type { RunEvent } from "./events.ts";
import { firstLimit } from "./limits.ts";
import type { LoopInput } from "./loop-input.ts";
import { buildModelRequest, type Phase, withoutServerTools } from "./phase.ts";
import { MAX_RECOVERIES, nudgeFor, problemOf, type TurnProblem } from "./recover.ts";
import type { RunState } from "./run-state.ts";
import { callsIn, userText, visibleText } from "./transcript.ts";

/** What one turn's requests came to. */
export interface Answer {
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

/** Asks until the answer can be used or the retries are spent. */
export async function* usableAnswer(
  input: LoopInput,
  state: RunState,
  phase: Phase,
  first: boolean,
): AsyncGenerator<RunEvent, Answer | "wall-time", void> {
  const turn = state.turns;
  const tried = new Map<TurnProblem, number>();
  for (let attempt = 0; ; attempt++) {
    const name = `${phase.prefix}model:${turn}${attempt === 0 ? "" : `.${attempt}`}`;
    const value = yield* askModel(
      input,
      buildModelRequest(input, state, phase, first && !tried.has("malformed-call")),
      turn,
      name,
      phase.prefix === "" ? state.steeredUpTo : undefined,
    );
    if (value === "wall-time") {
      state.wallTimeUp = true;
      return value;
    }
    if (value === "too-long") {
      const sent = state.sendable().length;
      if (yield* compactWhenFull(input, state, true)) {
        // The thread of the output begins with a copy of what is sent.
        if (phase.prefix !== "") phase.thread.splice(0, sent, ...state.sendable().map(withoutServerTools));
        continue;
      }
      throw new RunStepError(
        `${name}: the prompt is longer than the model takes, and there is no earlier message left to sum up: ` +
          "send less, or cut long tool results",
        name,
      );
    }
    const { response, steered } = value;
    const steeringWaits = value.steeringWaits ?? false;
    if (steered !== undefined) {
      phase.thread.push(...steered.contents);
      state.steeredUpTo = steered.upTo;
    }
    state.sawTime(value.startedAt, value.endedAt);
    state.sawResponse(response, pricesFor(input.prices, response.envelope.modelVersion ?? input.model.id));
    if (input.live !== undefined) yield { type: "response", turn, response };

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
    if (
      times > MAX_RECOVERIES[problem] ||
      firstLimit({ ...input, limits: { ...input.limits, turns: undefined } }, state.spent()) !== undefined
    )
      return { response, steeringWaits, problem, detail };
    const nudge =
      problem === "invalid-output"
        ? `That does not fit the schema: ${detail}. Answer again with only the corrected JSON.`
        : nudgeFor(problem, times, [...input.toolset.byName.keys()]);
    input.logger.warn(
      { turn, problem, attempt: times, finishReason: response.finishReason },
      "the answer cannot be used; asking again",
    );
    state.discarded.add(response);
    yield { type: "recover", turn, problem, attempt: times, action: nudge ?? "asked the same again" };
    if (problem === "invalid-output") phase.thread.push(response.content);
    if (nudge !== undefined) phase.thread.push(userText(nudge));
  }
}

function isFinalAnswer(response: ModelResponse): boolean {
  return classifyFinish(response.finishReason) === "complete" && callsIn(response.content).length === 0;
}
