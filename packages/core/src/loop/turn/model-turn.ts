import { modelStepName, type ModelStepValue, type PhaseKind, type PromptTooLong } from "../../durable/run-log.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import { classifyFinish } from "../../model/finish-reason.ts";
import type { ModelRequest, ModelResponse } from "../../model/model.ts";
import { visibleText } from "../../model/response/parts.ts";
import type { ModelSettings } from "../../model/settings.ts";
import { findPrices } from "../../model/usage.ts";
import { nudges, OUTPUT_REQUEST } from "../../tool/model-texts.ts";
import { RequestBudget } from "../../wire/http/retry.ts";
import type { Content } from "../../wire/types/content.ts";
import type { FunctionDeclaration, WireTool } from "../../wire/types/declaration.ts";
import { compactWhenFull } from "./compact-history.ts";
import { firstLimit } from "../limits.ts";
import type { LoopInput, OutputPlan, ToolChoice } from "../loop-input.ts";
import { emitParts, modelStep } from "./model-step.ts";
import { MAX_RECOVERIES, nudgeFor, problemOf, type TurnProblem } from "./classify-answer.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import { callsIn, userText } from "../transcript.ts";

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

/** One stretch of a run that sends the same instructions and tools: the work itself, or putting its answer into a schema. */
export interface Phase {
  readonly kind: PhaseKind;
  /** What is said, growing. Those of the work are the history itself, of which a compacted run sends only the end. */
  readonly contents: Content[];
  readonly functions: readonly FunctionDeclaration[];
  readonly builtIns: readonly WireTool[];
  readonly toolChoice: ToolChoice;
  readonly output: OutputPlan | undefined;
}

/** The work: all tools, and the schema where it can go along. */
export function workPhase(input: LoopInput, state: RunState): Phase {
  const output = input.output?.native === true ? input.output : undefined;
  return {
    kind: "work",
    contents: state.contents,
    functions: input.toolset.functions,
    builtIns: input.toolset.builtIns,
    toolChoice: input.toolChoice,
    output,
  };
}

/**
 * The last request of a run whose schema could not go along: no tools, the conversation so far, and the schema. What it
 * says is not part of the history: the prose answer and its citations are.
 */
export function outputPhase(state: RunState, output: OutputPlan): Phase {
  const contents = state.sendable().map(withoutServerTools);
  contents.push(userText(OUTPUT_REQUEST));
  return { kind: "output", contents, functions: [], builtIns: [], toolChoice: "auto", output };
}

/** The request of one turn. */
function buildModelRequest(input: LoopInput, state: RunState, phase: Phase, firstTurn: boolean): ModelRequest {
  return {
    instructions: input.instructions,
    contents: phase.kind === "work" ? state.sendable() : [...phase.contents],
    functions: phase.functions,
    builtIns: phase.builtIns,
    calling: callingFor(phase.toolChoice, firstTurn),
    output: phase.output === undefined ? undefined : { schema: phase.output.schema },
    settings: phase.kind === "work" ? input.settings : withoutCache(input.settings),
  };
}

/** A cache may hold tools, which the request for the output must not have. */
function withoutCache({ cachedContent: _, ...settings }: ModelSettings): ModelSettings {
  return settings;
}

/** Forcing a call holds for the first turn only: a model that must call never answers. */
export function callingFor(choice: ToolChoice, firstTurn: boolean): ModelRequest["calling"] {
  if (choice === "none") return { mode: "NONE" };
  if (choice === "auto" || !firstTurn) return undefined;
  return choice === "required" ? { mode: "ANY" } : { mode: "ANY", allowedFunctionNames: choice.only };
}

/** Without built-in tools in the request, the parts they left behind have no place; leaving both of a pair out is allowed. */
export function withoutServerTools(content: Content): Content {
  const kept = content.parts.filter((part) => part.toolCall === undefined && part.toolResponse === undefined);
  if (kept.length === content.parts.length || kept.length === 0) return content;
  return { ...content, parts: kept };
}
