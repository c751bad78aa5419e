import {
  type GuardrailAction,
  type InputCheckValue,
  type OutputCheckValue,
  type StepPlace,
} from "../../durable/run-log.ts";
import { GuardrailError } from "../../errors/run-errors.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { abortable } from "../../internal/abort.ts";
import { copyJson, isObject, present } from "../../internal/json.ts";
import { sharedLength } from "../../internal/text.ts";
import type { ModelResponse } from "../../model/model.ts";
import { visibleText } from "../../model/response/parts.ts";
import { NO_USAGE } from "../../model/usage.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import {
  type GuardrailStop,
  type GuardrailStopVerdict,
  type TurnStopped,
  type InputToCheck,
  type InputVerdict,
  needsCheck,
  type OutputToCheck,
  type OutputVerdict,
  readStop,
} from "../guardrails.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { singleStep } from "../single-step.ts";
import { userText } from "../transcript.ts";
import { isKept, type TurnAnswer } from "./classify-answer.ts";
import type { Unchecked } from "./partial-answer.ts";

type GuardPlace = Extract<StepPlace, { kind: "guard" }>;

/** Checks something in its own step. @param answer - The answer that is checked. */
export async function guardStep<Checked extends Pick<InputCheckValue, "actions" | "response">>(
  input: LoopInput,
  state: RunState,
  place: GuardPlace,
  check: (signal: AbortSignal) => Promise<Checked>,
  answer?: Content,
): Promise<{ readonly value: Checked; readonly guardrail: GuardrailStop | undefined } | "wall-time"> {
  const { side } = place;
  const outcome = await singleStep(input, place, async ({ signal }) => {
    // A journal has something that needs a check: nothing passes unchecked.
    if (input.guardrails?.[side] === undefined) {
      const what = side === "input" ? "its input" : "an answer";
      throw new GuardrailError(
        `the run must still check ${what}, but this agent has no ${side} guardrails: pass the ones that the run began with`,
        { name: "", side },
      );
    }
    const startedAt = input.now();
    return { ...(await check(signal)), startedAt, endedAt: input.now() };
  });
  if (outcome === "wall-time") return outcome;
  const { value } = outcome;
  state.addActiveTime(value.startedAt, value.endedAt);
  const guardrail = readStop(side, value.actions);
  const { parts = [] } = guardrail === undefined ? (value.response?.content ?? answer ?? {}) : {};
  await reportActions(input, state, side, value.actions, parts);
  return { value, guardrail };
}

/** Checks the message of a run. A message that passes becomes part of the contents; a guardrail may answer it. */
export async function checkRunInput(input: LoopInput, state: RunState): Promise<TurnAnswer | TurnStopped | undefined> {
  const { unchecked, turns: turn } = state;
  const place: GuardPlace = { kind: "guard", turn, side: "input", attempt: 0 };
  const check = (signal: AbortSignal) => checkInput(input, unchecked, turn, "message", signal);
  const checked = await guardStep(input, state, place, check);
  if (checked === "wall-time") return checked;
  state.unchecked = [];
  if (checked.guardrail !== undefined) return { guardrail: checked.guardrail };
  const { actions, contents = unchecked, response } = checked.value;
  state.contents.push(...contents);
  const open = state.openTurns.at(-1);
  if (open !== undefined) open.from = state.contents.length;
  if (response === undefined) return undefined;
  const { endedAt } = state;
  state.addAnswer({ response, startedAt: endedAt, endedAt }, input);
  return { response, calls: [], answeredBy: findAnswering(actions) };
}

/** Name of the guardrail that answered a message, if one did. */
export function findAnswering(actions: readonly GuardrailAction[]): string | undefined {
  return actions.find(({ action }) => action === "answer")?.name;
}

/** What the guardrails do about user input; `contents` replace it. */
export async function checkInput(
  input: LoopInput,
  given: readonly Content[],
  turn: number,
  source: InputToCheck["source"],
  signal: AbortSignal,
): Promise<Pick<InputCheckValue, "actions" | "contents" | "response">> {
  const { identity, context, guardrails } = input;
  const actions: GuardrailAction[] = [];
  let contents = given;
  let answer: string | undefined;
  for (const { name, check } of guardrails?.input ?? []) {
    const text = contents.map((content) => visibleText(content)).join("\n");
    const subject = { ...identity, context, signal, turn, source, text, contents };
    const verdict = await askGuardrail<InputVerdict>(name, "input", signal, () => check(subject));
    if (verdict === undefined) continue;
    const canAnswer = input.output === undefined && (source === "message" || source === "steering");
    const stop = asStop(verdict, canAnswer);
    actions.push(describeAction(name, stop ?? verdict));
    if (stop !== undefined) return { actions };
    // The next guardrails still check it: later turns read the message.
    if ("answer" in verdict) answer ??= verdict.answer;
    else if ("replace" in verdict)
      contents = typeof verdict.replace === "string" ? [userText(verdict.replace)] : copyJson(verdict.replace);
  }
  // No model gave this answer.
  const response = { finishReason: "STOP", usage: NO_USAGE, candidate: {}, envelope: {} };
  return {
    actions,
    ...(contents !== given && { contents }),
    ...(answer !== undefined && { response: { ...response, content: { role: "model", parts: [{ text: answer }] } } }),
  };
}

/** A verdict that ends the run without an answer, or one whose answer cannot be given: the output must be typed, or no message was sent. */
function asStop(verdict: Exclude<InputVerdict, void>, canAnswer: boolean): GuardrailStopVerdict | undefined {
  if ("stop" in verdict) return verdict;
  if (!("answer" in verdict) || canAnswer) return undefined;
  const { answer, reason = "it answered where no answer can be given" } = verdict;
  return { stop: reason, message: answer };
}

/** Checks an answer of the model. @param unchecked - How to keep it when the run ends during the check; absent for an answer that is not shown. */
export async function checkAnswer(
  input: LoopInput,
  state: RunState,
  answer: TurnAnswer,
  attempt: number,
  unchecked: Unchecked | undefined,
): Promise<TurnAnswer | TurnStopped> {
  const { response, calls, output } = answer;
  const { content } = response;
  if (!needsCheck(content)) return answer;
  const { turns: turn, partial } = state;
  const place: GuardPlace = { kind: "guard", turn, side: "output", attempt };
  const toCheck = { content, isFinal: calls.length === 0, isPartial: false, output };
  // An answer whose check did not finish is like one that broke off.
  const leave = (): void => {
    state.replaceLast(withheld(response));
    if (unchecked === undefined || !partial.isEmpty || !isKept(response)) return;
    partial.begin({ kind: "model", phase: "work", turn, attempt }, unchecked, partial.released);
    partial.add(content.parts);
  };
  const check = async (signal: AbortSignal): Promise<Pick<OutputCheckValue, "actions" | "response">> => {
    const { actions, content: replaced } = await checkOutput(input, toCheck, turn, signal);
    return { actions, ...(replaced && { response: { ...response, content: replaced, candidate: {} } }) };
  };
  const checked = await guardStep(input, state, place, check, content).catch((error: unknown) => {
    // An engine that stops the run here continues it later.
    if (input.signal.aborted || input.isReading === true) leave();
    else state.replaceLast(withheld(response));
    throw error;
  });
  if (checked === "wall-time") {
    leave();
    return checked;
  }
  const { guardrail, value } = checked;
  if (guardrail !== undefined || value.response !== undefined) state.replaceLast(value.response ?? withheld(response));
  if (guardrail !== undefined) return { guardrail };
  return value.response === undefined ? answer : { ...answer, response: value.response };
}

/** What the guardrails do about the model's output; `content` replaces it. */
export async function checkOutput(
  { identity, context, guardrails }: Pick<LoopInput, "identity" | "context" | "guardrails">,
  output: Pick<OutputToCheck, "content" | "isFinal" | "isPartial" | "output">,
  turn: number,
  signal: AbortSignal,
): Promise<{ readonly actions: readonly GuardrailAction[]; readonly content?: Content | undefined }> {
  const actions: GuardrailAction[] = [];
  let { content } = output;
  for (const { name, check } of guardrails?.output ?? []) {
    const subject = { ...identity, context, signal, turn, ...output, text: visibleText(content), content };
    const verdict = await askGuardrail<OutputVerdict>(name, "output", signal, () => check(subject));
    if (verdict === undefined) continue;
    actions.push(describeAction(name, verdict));
    if ("stop" in verdict) return { actions };
    content = withText(content, verdict.replace);
  }
  return content === output.content ? { actions } : { actions, content };
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
      throw new TypeError(
        `check must return nothing, { stop: "reason" }${side === "input" ? ', { answer: "text" }' : ""} or { replace: … }`,
      );
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

/** A verdict of another shape must not pass as none: it may be a misspelled stop. */
function isVerdict(verdict: unknown, side: GuardrailStop["side"]): boolean {
  if (!isObject(verdict)) return false;
  const { stop, replace, answer, message } = verdict;
  if ("stop" in verdict) return typeof stop === "string" && (message === undefined || typeof message === "string");
  if ("answer" in verdict) return side === "input" && typeof answer === "string" && answer.trim() !== "";
  return typeof replace === "string" || (side === "input" && Array.isArray(replace));
}

function describeAction(name: string, verdict: Exclude<InputVerdict | OutputVerdict, void>): GuardrailAction {
  if (!("stop" in verdict))
    return present({ name, action: "answer" in verdict ? "answer" : "replace", reason: verdict.reason });
  const { stop: reason, details, message } = verdict;
  return present({ name, action: "stop", reason, details: copyJson(details), message });
}

/** An answer with another text: only its calls stay, without the other visible fields of their parts. */
function withText(content: Content, text: string): Content {
  const parts: Part[] = text === "" ? [] : [{ text }];
  for (const part of content.parts) {
    const { text: _text, inlineData: _media, fileData: _file, ...call } = part;
    if (call.functionCall !== undefined) parts.push(call);
  }
  return { ...content, parts };
}

/** An answer of which only the finish reason and the usage are known. */
export function withheld({ content, ...rest }: ModelResponse): ModelResponse {
  return { ...rest, content: { ...content, parts: [] }, candidate: {} };
}

/** @param parts - The rest of an answer, whose text may be shown in part. */
export async function reportActions(
  { emit, logger }: LoopInput,
  { turns: turn, partial }: RunState,
  side: GuardrailStop["side"],
  actions: readonly GuardrailAction[],
  parts: readonly Part[] = [],
): Promise<void> {
  for (const { name: guardrail, action, reason } of actions)
    logger.info({ turn, side, guardrail, action, reason }, "a guardrail intervened");
  const keeps = sharedLength(partial.released, visibleText({ role: "model", parts }));
  if (emit !== undefined) for (const event of actionEvents(turn, side, actions, keeps)) await emit(event);
}

/** The events of guardrails' actions. */
export function actionEvents(
  turn: number,
  side: GuardrailStop["side"],
  actions: readonly GuardrailAction[] = [],
  keeps: number = 0,
): readonly RunEvent[] {
  const kept = side === "output" && keeps > 0 && { keeps };
  return actions.map((action) => ({ type: "guardrail", turn, side, ...action, ...kept }));
}
