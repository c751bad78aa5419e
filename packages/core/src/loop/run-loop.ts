import { citationsOf } from "../grounding/citations.ts";
import { collectSources } from "../grounding/collect-sources.ts";
import { quotedCitations } from "../grounding/quoted-citations.ts";
import { assertNever } from "../internal/assert-never.ts";
import { classifyFinish } from "../model/finish-reason.ts";
import type { ModelResponse } from "../model/model.ts";
import type { FunctionCall } from "../wire/content.ts";
import { answerCalls } from "./answer-calls.ts";
import { askModel } from "./ask-model.ts";
import type { RunEvent } from "./events.ts";
import { limitReached } from "./limits.ts";
import type { LoopInput } from "./loop-input.ts";
import { buildModelRequest, outputPhase, type Phase, workPhase } from "./phase.ts";
import { MAX_RECOVERIES, nudgeFor, problemOf, type TurnProblem } from "./recover.ts";
import { RepeatGuard } from "./repeated-calls.ts";
import type { RunOutcome, RunResult } from "./result.ts";
import { attachRunSoFar } from "./run-so-far.ts";
import type { RunState } from "./run-state.ts";
import { wallClock } from "./wall-clock.ts";
import { callsIn, userText, visibleText } from "./transcript.ts";

/** How a stretch of turns ended: a result without what all results have. */
type Ending = {
  readonly [Reason in RunResult<unknown>["stopReason"]]: Omit<
    Extract<RunResult<unknown>, { stopReason: Reason }>,
    keyof RunOutcome
  >;
}[RunResult<unknown>["stopReason"]];

/** The only loop. Every public way to run an agent is a way of reading this generator. */
export async function* runLoop(input: LoopInput, state: RunState): AsyncGenerator<RunEvent, RunResult<unknown>, void> {
  const wall = wallClock(input.limits.wallTimeMs);
  const bounded = wall === undefined ? input : { ...input, deadline: wall.signal };
  try {
    yield { type: "run-start", runId: state.runId, model: input.model.id };
    let ending = yield* turns(bounded, state, workPhase(input, state));
    const answer = ending.stopReason === "finished" ? state.lastResponse : undefined;
    if (ending.stopReason === "finished" && input.output?.native === false) {
      ending = yield* turns(bounded, state, outputPhase(state, input.output));
    }
    // Sum types do not survive a spread, but each ending lacks just what RunOutcome has.
    const result = { ...outcomeOf(input, state, answer ?? state.lastResponse), ...ending } as RunResult<unknown>;
    yield { type: "run-end", result };
    return result;
  } catch (error) {
    attachRunSoFar(error, state.soFar());
    throw error;
  } finally {
    wall?.stop();
  }
}

async function* turns(input: LoopInput, state: RunState, phase: Phase): AsyncGenerator<RunEvent, Ending, void> {
  const guard = new RepeatGuard(input.maxRepeats);
  let cutOffTurns = 0;
  for (let first = true; ; first = false) {
    const limit = limitReached(input.limits, state.spent());
    if (limit !== undefined) return { stopReason: "limit", limit };
    input.signal.throwIfAborted();

    const turn = ++state.turns;
    yield { type: "turn-start", turn };
    const answer = yield* usableAnswer(input, state, phase, first);
    if (answer === "wall-time") continue;
    const { response, problem, output } = answer;
    const calls = callsIn(response.content);
    const cutOff = classifyFinish(response.finishReason) === "truncated";

    const ending =
      problem === undefined
        ? endingOf(response, calls, output, cutOff)
        : endingOfProblem(problem, response, answer.detail);
    if (keeps(ending, response)) phase.thread.push(response.content);
    if (ending !== undefined) {
      yield { type: "turn-end", turn };
      return ending;
    }

    const answered = yield* answerCalls(
      input,
      state,
      calls,
      cutOff ? "not run: your answer was cut off by the token limit; make the call again, shorter" : undefined,
    );
    phase.thread.push(...answered.contents);
    yield { type: "turn-end", turn };
    input.signal.throwIfAborted();

    cutOffTurns = cutOff ? cutOffTurns + 1 : 0;
    if (cutOffTurns > MAX_RECOVERIES["truncated-call"]) return { stopReason: "truncated" };
    if (guard.sawTurn(calls, answered.responses)) return { stopReason: "repeated-calls" };
    const progress = {
      turns: turn,
      toolCalls: state.toolCalls,
      usage: state.usage,
      lastCalls: calls,
      lastText: visibleText(response.content),
    };
    if (input.stopWhen.some((rule) => rule(progress))) return { stopReason: "stopped" };
  }
}

interface Answer {
  readonly response: ModelResponse;
  /** What stayed wrong with it after the retries. */
  readonly problem?: TurnProblem | undefined;
  /** More about the problem. */
  readonly detail?: string | undefined;
  /** The checked output, when the phase has one and this is the final answer. */
  readonly output?: unknown;
}

/** Asks until the answer can be used or the retries are spent. */
async function* usableAnswer(
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
      buildModelRequest(input, phase, first && !tried.has("malformed-call")),
      turn,
      name,
    );
    if (value === "wall-time") {
      state.wallTimeUp = true;
      return value;
    }
    const { response } = value;
    state.sawTime(value.startedAt, value.endedAt);
    state.sawResponse(response);
    yield { type: "response", turn, response };

    let problem = problemOf(response);
    let detail: string | undefined;
    if (problem === undefined && phase.output !== undefined && isFinalAnswer(response)) {
      const checked = await phase.output.parse(visibleText(response.content));
      if (checked.ok) return { response, output: checked.value };
      problem = "invalid-output";
      detail = checked.problem;
    }
    if (problem === undefined) return { response };

    const times = (tried.get(problem) ?? 0) + 1;
    tried.set(problem, times);
    if (
      times > MAX_RECOVERIES[problem] ||
      limitReached({ ...input.limits, turns: undefined }, state.spent()) !== undefined
    )
      return { response, problem, detail };
    const nudge =
      problem === "invalid-output"
        ? `That does not fit the schema: ${detail}. Answer again with only the corrected JSON.`
        : nudgeFor(problem, times, [...input.toolset.byName.keys()]);
    input.logger.warn(
      { turn, problem, attempt: times, finishReason: response.finishReason },
      "the answer cannot be used; asking again",
    );
    yield { type: "recover", turn, problem, attempt: times, action: nudge ?? "asked the same again" };
    if (problem === "invalid-output") phase.thread.push(response.content);
    if (nudge !== undefined) phase.thread.push(userText(nudge));
  }
}

function isFinalAnswer(response: ModelResponse): boolean {
  return classifyFinish(response.finishReason) === "complete" && callsIn(response.content).length === 0;
}

/** How a usable answer ends the run; `undefined` goes on to its calls. */
function endingOf(
  response: ModelResponse,
  calls: readonly FunctionCall[],
  output: unknown,
  cutOff: boolean,
): Ending | undefined {
  const { finishReason, finishMessage } = response;
  const finish = classifyFinish(finishReason);
  switch (finish) {
    case "complete":
      return calls.length > 0 ? undefined : { stopReason: "finished", output };
    case "truncated":
      return cutOff && calls.length > 0 ? undefined : { stopReason: "truncated" };
    case "undeclared-call":
      return undefined;
    case "blocked":
      return {
        stopReason: "blocked",
        finishReason,
        finishMessage,
        safetyRatings: response.candidate.safetyRatings ?? [],
      };
    case "bad-call":
      return { stopReason: "bad-call", finishReason, finishMessage };
    case "continuation":
    case "interrupted":
    case "unknown":
      return { stopReason: "unknown-finish", finishReason, finishMessage };
    default:
      return assertNever(finish);
  }
}

function endingOfProblem(
  problem: TurnProblem,
  { finishReason, finishMessage }: ModelResponse,
  detail: string | undefined,
): Ending {
  switch (problem) {
    case "empty":
      return { stopReason: "empty" };
    case "malformed-call":
    case "undeclared-call":
      return { stopReason: "bad-call", finishReason, finishMessage };
    case "truncated-call":
      return { stopReason: "truncated" };
    case "interrupted":
      return { stopReason: "unknown-finish", finishReason, finishMessage };
    case "invalid-output":
      return { stopReason: "invalid-output", problem: detail ?? "" };
    default:
      return assertNever(problem);
  }
}

/** History keeps answers that can be sent again: not withheld, unreadable or empty ones. */
function keeps(ending: Ending | undefined, response: ModelResponse): boolean {
  if (response.content.parts.length === 0) return false;
  if (ending === undefined) return true;
  if (ending.stopReason === "truncated") return visibleText(response.content) !== "";
  return ending.stopReason === "finished" || ending.stopReason === "invalid-output";
}

function outcomeOf(input: LoopInput, state: RunState, response: ModelResponse | undefined): RunOutcome {
  const found = collectSources(state.responses);
  const text = response === undefined ? "" : visibleText(response.content);
  const own = response === undefined ? [] : citationsOf(response, found.sources);
  const grounded = found.sources.length > 0 || found.searchQueries.length > 0;
  return {
    runId: state.runId,
    text,
    contents: [...state.contents],
    added: state.contents.slice(input.given),
    turns: state.turns,
    usage: state.usage,
    response,
    ...found,
    citations:
      own.length > 0
        ? own
        : quotedCitations(
            text,
            state.responses.filter((other) => other !== response),
            found.sources,
          ),
    groundedBy: !grounded ? "none" : state.nested ? "delegated" : "native",
  };
}
