import {
  type GuardrailAction,
  guardStepName,
  type InputCheckValue,
  type OutputCheckValue,
} from "../../durable/run-log.ts";
import { GuardrailError } from "../../errors/run-errors.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson, isObject } from "../../internal/json.ts";
import type { ModelResponse } from "../../model/model.ts";
import { visibleText } from "../../model/response/parts.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import {
  type GuardrailStop,
  type GuardrailStopVerdict,
  type InputVerdict,
  needsCheck,
  type OutputVerdict,
  readStop,
} from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import { userText } from "../transcript.ts";
import type { TurnAnswer } from "./classify-answer.ts";

/** Checks the message of a run. What passes becomes part of the contents. */
export async function checkRunInput(
  input: LoopInput,
  state: RunState,
): Promise<GuardrailStop | "wall-time" | undefined> {
  const { unchecked, turns: turn } = state;
  const outcome = await singleStep(
    input,
    guardStepName("input", turn),
    async ({ signal }): Promise<InputCheckValue> => {
      const startedAt = input.now();
      const checked = await checkInput(input, unchecked, turn, signal);
      return { ...checked, startedAt, endedAt: input.now() };
    },
  );
  if (outcome === "wall-time") return outcome;
  const { actions, contents = unchecked, startedAt, endedAt } = outcome.value;
  state.addActiveTime(startedAt, endedAt);
  state.unchecked = [];
  await reportActions(input, state, "input", actions);
  const stop = readStop("input", actions);
  if (stop === undefined) state.contents.push(...contents);
  return stop;
}

/** What the guardrails do about something that a person says; `contents` replace it. */
export async function checkInput(
  input: LoopInput,
  said: readonly Content[],
  turn: number,
  signal: AbortSignal,
): Promise<Pick<InputCheckValue, "actions" | "contents">> {
  const { identity, context, guardrails } = input;
  const actions: GuardrailAction[] = [];
  let contents = said;
  for (const { name, check } of guardrails?.input ?? []) {
    const text = contents.map((content) => visibleText(content)).join("\n");
    const asked = { ...identity, context, signal, turn, text, contents };
    const verdict = await askGuardrail<InputVerdict>(name, "input", signal, () => check(asked));
    if (verdict === undefined) continue;
    actions.push(describeAction(name, verdict));
    if ("stop" in verdict) return { actions };
    const { replace } = verdict;
    contents = typeof replace === "string" ? [userText(replace)] : copyJson(replace);
  }
  return contents === said ? { actions } : { actions, contents };
}

/**
 * Checks an answer of the model, and reports it if it was held back.
 *
 * @returns The answer as it goes on, or why the run stops.
 */
export async function checkAnswer<Answer extends TurnAnswer>(
  input: LoopInput,
  state: RunState,
  answer: Answer,
  attempt: number,
): Promise<Answer | { readonly guardrail: GuardrailStop } | "wall-time"> {
  const { response } = answer;
  if (!needsCheck(response.content)) return answer;
  const { turns: turn } = state;
  const name = guardStepName("output", turn, attempt);
  const outcome = await singleStep(input, name, async ({ signal }): Promise<OutputCheckValue> => {
    const startedAt = input.now();
    const checked = await checkOutput(input, answer, turn, signal);
    return { ...checked, startedAt, endedAt: input.now() };
  }).catch((error: unknown) => {
    state.replaceLast(withheld(response));
    throw error;
  });
  if (outcome === "wall-time") {
    state.replaceLast(withheld(response));
    return outcome;
  }
  const { actions, response: replaced, startedAt, endedAt } = outcome.value;
  state.addActiveTime(startedAt, endedAt);
  await reportActions(input, state, "output", actions);
  const guardrail = readStop("output", actions);
  if (guardrail !== undefined || replaced !== undefined) state.replaceLast(replaced ?? withheld(response));
  if (guardrail !== undefined) return { guardrail };
  return replaced === undefined ? answer : { ...answer, response: replaced };
}

async function checkOutput(
  { identity, context, guardrails }: LoopInput,
  { response: given, calls, output }: TurnAnswer,
  turn: number,
  signal: AbortSignal,
): Promise<Pick<OutputCheckValue, "actions" | "response">> {
  const actions: GuardrailAction[] = [];
  let response = given;
  for (const { name, check } of guardrails?.output ?? []) {
    const { content } = response;
    const isFinal = calls.length === 0;
    const asked = { ...identity, context, signal, turn, text: visibleText(content), content, isFinal, output };
    const verdict = await askGuardrail<OutputVerdict>(name, "output", signal, () => check(asked));
    if (verdict === undefined) continue;
    actions.push(describeAction(name, verdict));
    if ("stop" in verdict) return { actions };
    response = withText(response, verdict.replace);
  }
  return response === given ? { actions } : { actions, response };
}

async function askGuardrail<Verdict>(
  name: string,
  side: GuardrailStop["side"],
  signal: AbortSignal,
  check: () => Verdict | Promise<Verdict>,
): Promise<Exclude<Verdict, void> | undefined> {
  try {
    const verdict = await abortable(Promise.resolve(check()), signal);
    if (verdict === undefined || verdict === null) return undefined;
    if (!isVerdict(verdict, side))
      throw new TypeError('check must return nothing, { stop: "reason" } or { replace: … }');
    // Not undefined, as checked above.
    return verdict as Exclude<Verdict, void>;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new GuardrailError(
      `the ${side} guardrail "${name}" failed, so the run stops here: ${messageOf(error)}`,
      { name, side },
      { cause: error },
    );
  }
}

/** A verdict of another shape must not pass as none: it may be a stop that was misspelled. */
function isVerdict(verdict: unknown, side: GuardrailStop["side"]): boolean {
  if (!isObject(verdict)) return false;
  const { stop, replace } = verdict;
  if ("stop" in verdict) return typeof stop === "string";
  return typeof replace === "string" || (side === "input" && Array.isArray(replace));
}

function describeAction(
  name: string,
  verdict: GuardrailStopVerdict | { readonly reason?: string | undefined },
): GuardrailAction {
  if (!("stop" in verdict)) {
    const { reason } = verdict;
    return { name, action: "replace", ...(reason !== undefined && { reason }) };
  }
  const { stop, details } = verdict;
  return { name, action: "stop", reason: stop, ...(details !== undefined && { details: copyJson(details) }) };
}

/** An answer with another text. The rest of the response quotes the old one. */
function withText({ content, candidate, ...rest }: ModelResponse, text: string): ModelResponse {
  const calls = content.parts.filter(({ functionCall }) => functionCall !== undefined);
  const said: readonly Part[] = text === "" ? [] : [{ text }];
  return { ...rest, content: { ...content, parts: [...said, ...calls] }, candidate: {} };
}

/** An answer of which only the finish reason and the usage are known. */
export function withheld({ content, ...rest }: ModelResponse): ModelResponse {
  return { ...rest, content: { ...content, parts: [] }, candidate: {} };
}

async function reportActions(
  { emit, logger }: LoopInput,
  { turns: turn }: RunState,
  side: GuardrailStop["side"],
  actions: readonly GuardrailAction[],
): Promise<void> {
  for (const action of actions) {
    const { name: guardrail, action: did, reason } = action;
    logger.info({ turn, side, guardrail, action: did, reason }, "a guardrail intervened");
    if (emit !== undefined) await emit({ type: "guardrail", turn, side, ...action });
  }
}
