import type { TurnProblem } from "../../durable/closed-turn.ts";
import { type PhaseKind, stepName, type ModelPlace, type ModelStepRecord } from "../../durable/run-log.ts";
import { GuardrailError, RunStepError } from "../../errors/run-errors.ts";
import { sharedLength } from "../../internal/text.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import type { ModelRequest, ModelResponse } from "../../model/model.ts";
import { visibleText } from "../../model/response/parts.ts";
import { OUTPUT_REQUEST } from "../../tool/model-texts.ts";
import { RequestBudget } from "../../wire/http/retry.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import { type TurnStopped, readStop } from "../guardrails.ts";
import { checkPriced, firstLimit } from "../limits.ts";
import type { LoopInput, OutputPlan } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { isRecorded, singleStep } from "../single-step.ts";
import { userText } from "../transcript.ts";
import { checkAnswer, findAnswering, reportActions, withheld } from "./check-guardrails.ts";
import { checkParts } from "./check-partial.ts";
import { classifyEnding, findProblem, MAX_RECOVERIES, nudgeFor, type TurnAnswer } from "./classify-answer.ts";
import { compactWhenFull } from "./compact-history.ts";
import { askedEvents } from "./closed-turns.ts";
import { modelStep, wholeEvents } from "./model-step.ts";
import type { Unchecked } from "./partial-answer.ts";
import { buildOrigin, callingFor, fitContents, restoreTools } from "./prepare-turn.ts";

/** Sends requests until the answer is usable, the retries are used up, or the wall time is up. */
export async function modelTurn(input: LoopInput, state: RunState, phase: Phase): Promise<TurnAnswer | TurnStopped> {
  const turn = state.turns;
  const tried = new Map<TurnProblem, number>();
  const budget = new RequestBudget(input.limits.requestsPerTurn);
  // Not when the agent that began leads again: two agents that must call would hand over forever.
  const isFirst = turn === 1 || (input.author !== undefined && state.handover?.turn === turn - 1);
  for (let attempt = 0; ; attempt++) {
    const place: ModelPlace = { kind: "model", phase: phase.kind, turn, attempt };
    const request = buildModelRequest(input, state, phase, isFirst && !tried.has("malformed-call"));
    const value = await askModel(input, state, request, budget, place);
    if (value === "wall-time") return value;
    if ("tooLong" in value) {
      if ((await shorten(input, state, phase, place)) === "wall-time") return "wall-time";
      continue;
    }
    if ("stopped" in value) {
      state.steeringCursor = value.steered.upTo;
      const guardrail = readStop("input", value.checked);
      if (guardrail !== undefined) return { guardrail };
      continue;
    }
    const { steered, steeringWaits = false, guarded, response } = value;
    const isHeld = guarded === "held";
    const open = state.openTurns.at(-1);
    const noted = open?.steps.at(-1);
    if (noted !== undefined && open !== undefined && phase.contents.length > open.from)
      noted.at = phase.contents.length - open.from;
    if (steered !== undefined) {
      phase.contents.push(...steered.contents);
      state.addSteered(steered);
    }
    state.addAnswer(value, input, phase.kind);
    if (state.unpriced !== undefined) checkPriced(input, state.unpriced);
    if (input.emit !== undefined && !isHeld) await input.emit({ type: "response", turn, response });
    const answeredBy = value.checked && findAnswering(value.checked);
    if (answeredBy !== undefined) return { response, calls: [], steeringWaits, answeredBy };

    const calls = openCallsIn([response.content]);
    let answer: TurnAnswer = { response, calls, problem: findProblem(response, calls) };
    const { output } = phase;
    if (output !== undefined && classifyEnding(answer)?.stopReason === "finished")
      answer = await readOutput(response, output);
    const wasRetried = input.steps.recorded !== undefined && isRecorded(input, { ...place, attempt: attempt + 1 });
    // It may match the current schema.
    if (wasRetried && answer.problem === undefined) answer = { ...answer, problem: "invalid-output" };
    const found = answer.problem;
    const times = found === undefined ? 0 : (tried.get(found) ?? 0) + 1;
    const sameTurn = { ...input, limits: { ...input.limits, turns: undefined } };
    const isLast =
      found === undefined ||
      (!wasRetried &&
        (times > MAX_RECOVERIES[found] || budget.isSpent || firstLimit(sameTurn, state.spent()) !== undefined));
    if (guarded !== undefined) {
      // The history keeps an invalid output, so it is checked as well.
      if (isLast || found === "invalid-output") {
        const checked = await guardAnswer(input, state, phase, answer, attempt, guarded);
        if (checked === "wall-time" || "guardrail" in checked) return checked;
        answer = checked;
      } else if (isHeld && input.emit !== undefined)
        await input.emit({ type: "response", turn, response: withheld(response) });
    }
    const { problem, detail } = answer;
    if (problem !== undefined) tried.set(problem, times);
    if (problem === undefined || isLast) return { ...answer, steeringWaits };
    const nudge = nudgeFor(problem, times, (state.turnTools ?? input.toolset).byName.keys(), detail);
    input.logger.warn(
      { turn, problem, attempt: times, finishReason: response.finishReason },
      "the answer cannot be used; retrying",
    );
    state.discarded.add(answer.response);
    if (noted !== undefined) noted.discarded = problem;
    if (input.emit !== undefined)
      await input.emit({ type: "recover", turn, problem, attempt: times, action: nudge ?? "retried unchanged" });
    if (problem === "invalid-output") phase.contents.push(answer.response.content);
    if (nudge !== undefined) phase.contents.push(userText(nudge));
  }
}

/** A final answer with its typed output, or with what does not match the schema. */
async function readOutput(response: ModelResponse, output: OutputPlan): Promise<TurnAnswer> {
  const parsed = await output.parse(visibleText(response.content));
  if (parsed.ok) return { response, calls: [], output: parsed.value };
  return { response, calls: [], problem: "invalid-output", detail: parsed.problem };
}

/** An answer as guardrails let it pass; reported to a reader who has not seen it. */
async function guardAnswer(
  input: LoopInput,
  state: RunState,
  { kind, output }: Phase,
  answer: TurnAnswer,
  attempt: number,
  guarded: Unchecked,
): Promise<TurnAnswer | TurnStopped> {
  const { turns: turn } = state;
  const checked = await checkAnswer(input, state, answer, attempt, kind === "work" ? guarded : undefined);
  if (checked === "wall-time" || "guardrail" in checked) return checked;
  const { response } = checked;
  const isReplaced = response !== answer.response;
  if (input.emit !== undefined && (isReplaced || guarded === "held")) {
    await emitPassed(input, state, response.content.parts, isReplaced, output !== undefined);
    await input.emit({ type: "response", turn, response });
  }
  const { problem, calls } = checked;
  const wasParsed = problem === undefined || problem === "invalid-output";
  if (!isReplaced || output === undefined || calls.length > 0 || !wasParsed) return checked;
  const read = await readOutput(response, output);
  if (read.problem === undefined || problem !== undefined) return read;
  const name = input.guardrails?.output?.at(-1)?.name ?? "";
  throw new GuardrailError(
    `the output guardrails' replacement of the answer does not match the output schema: ${read.detail}`,
    { name, side: "output" },
  );
}

/** Checks the answer so far when the run ended in the middle of it: parts that pass are kept and shown. Never rejects. */
export async function checkPartial(input: LoopInput, state: RunState): Promise<void> {
  const { partial, turns: turn } = state;
  const { unchecked } = partial;
  if (unchecked === undefined || partial.isEmpty) return;
  const parts = partial.parts();
  await checkParts(input, parts, turn, async ({ kept, actions }) => {
    partial.settle(kept, actions);
    await reportActions(input, state, "output", actions, kept);
    if (unchecked === "held" || kept !== parts) await emitPassed(input, state, kept, actions.length > 0, false);
  });
}

/** Reports the passed parts of a held answer that are not yet shown. @param hasActed - Guardrails reported what is withdrawn. */
async function emitPassed(
  { emit, logger }: LoopInput,
  { turns: turn, partial }: RunState,
  parts: readonly Part[],
  hasActed: boolean,
  isTyped: boolean,
): Promise<void> {
  const { released } = partial;
  partial.released = "";
  let keeps = sharedLength(released, visibleText({ role: "model", parts }));
  if (keeps < released.length && parts.length > 0) {
    const reason = "a guardrail changed its mind about text that was shown: its lookback is too short";
    logger.warn({ turn }, reason);
    if (!hasActed) keeps = 0;
    if (!hasActed) await emit?.({ type: "discard", turn, reason });
  }
  const rest = parts.map((part) => {
    if (keeps === 0 || part.text === undefined || part.thought === true) return part;
    const text = part.text.slice(keeps);
    keeps -= part.text.length - text.length;
    return { ...part, text };
  });
  if (emit !== undefined) for (const event of wholeEvents(rest, turn, isTyped)) await emit(event);
}

/** One request as one step. Its events are reported as they arrive, or at once when a journal has the answer. */
async function askModel(
  input: LoopInput,
  state: RunState,
  request: ModelRequest,
  budget: RequestBudget,
  place: ModelPlace,
): Promise<ModelStepRecord | "wall-time"> {
  state.turnTools = undefined;
  let ranHere = false;
  const outcome = await singleStep(input, place, (step) => {
    ranHere = true;
    return modelStep(input, state, request, place, step, budget);
  });
  if (outcome === "wall-time") return outcome;
  const { value } = outcome;
  if (ranHere || "tooLong" in value) return value;
  if (input.emit !== undefined)
    for (const event of askedEvents(place.turn, value, request.output !== undefined)) await input.emit(event);
  const { tools } = ("prepared" in value && value.prepared) || {};
  if (tools !== undefined) state.turnTools = await restoreTools(input, state, tools, request.contents, place);
  return value;
}

/** Compacts the history after the service refused the prompt as too long. */
async function shorten(
  input: LoopInput,
  state: RunState,
  phase: Phase,
  place: ModelPlace,
): Promise<"shortened" | "wall-time"> {
  const sent = state.sendable().length;
  const made = await compactWhenFull(input, state, place.attempt + 1);
  if (made === "wall-time") return made;
  if (made) {
    // The contents of the output phase begin with a copy of the sent contents.
    if (phase.kind === "output") phase.contents.splice(0, sent, ...state.sendable().map(withoutServerTools));
    return "shortened";
  }
  const name = stepName(place);
  throw new RunStepError(
    `${name}: the prompt exceeds the model's limit, and there is no earlier message left to summarize: ` +
      "send less, or shorten long tool results",
    name,
  );
}

/** A part of a run whose requests have the same instructions and tools: the work itself, or converting its answer to a schema. */
export interface Phase {
  readonly kind: PhaseKind;
  /** The conversation, growing. For the work, the history itself; a compacted run sends only its end. */
  readonly contents: Content[];
  readonly output: OutputPlan | undefined;
}

/** The work: all tools, and the schema when the model takes both. */
export function workPhase({ output }: LoopInput, { contents }: RunState): Phase {
  return { kind: "work", contents, output: output?.native === true ? output : undefined };
}

/** The last request of a run whose schema could not be sent with the tools. The history keeps the prose answer and its citations instead. */
export function outputPhase(state: RunState, output: OutputPlan): Phase {
  return { kind: "output", contents: [...state.sendable().map(withoutServerTools), userText(OUTPUT_REQUEST)], output };
}

function buildModelRequest(input: LoopInput, state: RunState, phase: Phase, isFirst: boolean): ModelRequest {
  const { instructions, model, author = model, preparer, settings, toolset } = input;
  const isWork = phase.kind === "work";
  const sent = isWork ? state.sendable() : [...phase.contents];
  const isMixed = (state.foreign.size > 0 || author !== model) && preparer === undefined;
  return {
    instructions,
    contents: isMixed ? fitContents(sent, author, state.foreign, buildOrigin(model)) : sent,
    functions: isWork ? toolset.functions : [],
    builtIns: isWork ? toolset.builtIns : [],
    calling: isWork ? callingFor(input.toolChoice, isFirst) : undefined,
    output: phase.output && { schema: phase.output.schema },
    // A cache may hold tools, which the output phase must not have.
    settings: isWork ? settings : { ...settings, cachedContent: undefined },
  };
}

/** A content without the parts of built-in tools, which a request without these tools must not have. Function calls stay. */
export function withoutServerTools(content: Content): Content {
  const kept = content.parts.filter((part) => part.toolCall === undefined && part.toolResponse === undefined);
  if (kept.length === content.parts.length || kept.length === 0) return content;
  return { ...content, parts: kept };
}
