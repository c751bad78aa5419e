import { type GivenCheckValue, stepName } from "../../durable/run-log.ts";
import { findRecorded, type Outcome } from "../../durable/steps.ts";
import { GuardrailError } from "../../errors/run-errors.ts";
import { isObject, tryOr } from "../../internal/json.ts";
import { visibleText } from "../../model/response/parts.ts";
import { readOutsideAnswer } from "../../tool/pending-call.ts";
import type { PendingQuestion } from "../../tool/tool.ts";
import { type TurnStopped, type InputToCheck, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import type { TurnCall } from "./call-state.ts";
import { userText } from "../transcript.ts";
import { checkInput, guardStep } from "../turn/check-guardrails.ts";

/** Checks the text of an answer from outside, in its own step. @param wait - Name of the wait that has the answer. */
export async function checkAnswered(
  input: LoopInput,
  state: RunState,
  { recorded, before }: TurnCall,
  question: PendingQuestion,
  wait: string,
  outcome: Outcome | undefined,
): Promise<{ readonly outcome: Outcome | undefined } | TurnStopped> {
  if (outcome?.ok !== true || findCheckable(question, outcome.value) === undefined) return { outcome };
  const place = { kind: "guard", turn: state.turns, side: "input", attempt: 0, wait } as const;
  const wasChecked = findRecorded(input.steps, stepName(place)).outcome !== undefined;
  // An approval that its call has already used is not checked again.
  const isUsed = question === "approval" && recorded !== undefined && before === undefined;
  if (!wasChecked && (isUsed || input.guardrails?.input === undefined)) return { outcome };
  const checked = await guardStep(input, state, place, (signal) =>
    checkGiven(input, question, outcome.value, state.turns, signal),
  );
  if (checked === "wall-time") return checked;
  const { guardrail, value } = checked;
  const { given = outcome.value } = value;
  // A step's value is JSON, and so is a guardrail's replacement.
  return guardrail === undefined ? { outcome: { ok: true, value: given as typeof outcome.value } } : { guardrail };
}

/** The recorded answer of a wait, after its check; undefined when there is none, or when it was not checked yet. */
export function findChecked(
  input: LoopInput,
  { turns: turn }: RunState,
  question: PendingQuestion,
  wait: string,
  outcome: Outcome | undefined,
): Outcome | undefined {
  if (outcome?.ok !== true || findCheckable(question, outcome.value) === undefined) return outcome;
  const check = findRecorded(input.steps, stepName({ kind: "guard", turn, side: "input", attempt: 0, wait })).outcome;
  if (check?.ok !== true) return input.guardrails?.input === undefined ? outcome : undefined;
  // The value of that step.
  const { actions, given = outcome.value } = check.value as unknown as GivenCheckValue;
  return readStop("input", actions) === undefined ? { ok: true, value: given as typeof outcome.value } : undefined;
}

/** What the guardrails do about an answer from outside; `given` replaces it. */
export async function checkGiven(
  input: LoopInput,
  question: PendingQuestion,
  given: unknown,
  turn: number,
  signal: AbortSignal,
): Promise<Pick<GivenCheckValue, "actions" | "given">> {
  const checkable = findCheckable(question, given);
  if (checkable === undefined || input.guardrails?.input === undefined) return { actions: [] };
  const { source, text, replace } = checkable;
  const { actions, contents } = await checkInput(input, [userText(text)], turn, source, signal);
  if (contents === undefined || readStop("input", actions) !== undefined) return { actions };
  const replaced = replace(contents.map((content) => visibleText(content)).join("\n"));
  if (replaced !== undefined) return { actions, given: replaced };
  const name = actions.findLast(({ action }) => action === "replace")?.name ?? "";
  throw new GuardrailError(
    `the input guardrail "${name}" replaced ${source === "arguments" ? "arguments with a text that is not a JSON object" : "an outcome with a text that is not JSON"}`,
    { name, side: "input" },
  );
}

/** The text of an answer from outside, and how to replace it. */
interface Checkable {
  readonly source: InputToCheck["source"];
  /** JSON for a value that is not a text. */
  readonly text: string;
  /** Undefined for a text that is not JSON of the required kind. */
  readonly replace: (text: string) => unknown;
}

/** The text that guardrails check; undefined for an answer without any. */
export function findCheckable(question: PendingQuestion, given: unknown): Checkable | undefined {
  const answer = readOutsideAnswer(question, given);
  switch (answer.kind) {
    case "approved":
    case "asks":
    case "not-executed":
      return undefined;
    case "edited":
      return checkableJson("arguments", answer.args, (args) => (isObject(args) ? { args } : undefined));
    case "output": {
      const { output } = answer;
      if (typeof output === "string") return checkableText("outcome", output, "output");
      return output === undefined ? undefined : checkableJson("outcome", output, (json) => ({ output: json }));
    }
    case "denied":
      return checkableText("denial", answer.text, "deny");
    case "withdrawn":
      return checkableText("denial", answer.text, "withdrawn");
    case "failed":
      return checkableText("outcome", answer.text, "error");
  }
}

function checkableText(source: Checkable["source"], given: string, member: string): Checkable | undefined {
  return given.trim() === "" ? undefined : { source, text: given, replace: (text) => ({ [member]: text }) };
}

function checkableJson(source: Checkable["source"], given: unknown, answerWith: (json: unknown) => unknown): Checkable {
  const replace = (text: string): unknown => tryOr(() => answerWith(JSON.parse(text)), undefined);
  return { source, text: JSON.stringify(given), replace };
}
