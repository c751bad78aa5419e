import type { Content } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import { type Problem, problem } from "./problem.ts";
import { isCall, isOlderThan3, isResponse, roleOf, type Subject } from "./subject.ts";
import { matchesCalls } from "./matching.ts";
import { callsOfTurn } from "./open-calls.ts";

const COUNTS =
  "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.";
const CALL_TURN =
  "Please ensure that function call turn comes immediately after a user turn or after a function response turn.";
const RESPONSE_TURN = "Please ensure that function response turn comes immediately after a function call turn.";
const MODEL_ENDING = "Requests ending with a model turn are not supported.";

/** Contents that the service treats as one turn. */
export interface Turn {
  readonly role: "user" | "model";
  readonly contents: readonly Content[];
  /** Index of the first content. */
  readonly start: number;
}

/**
 * Splits a history into turns. Adjacent model contents are one turn on every model; adjacent user contents only on models before
 * Gemini 3, where responses could be split across several contents.
 */
export function turnsOf(contents: readonly Content[], model: ModelFacts): Turn[] {
  const turns: Turn[] = [];
  for (const [start, content] of contents.entries()) {
    const role = roleOf(content) === "model" ? "model" : "user";
    const last = turns.at(-1);
    if (last?.role === role && (role === "model" || isOlderThan3(model))) {
      turns[turns.length - 1] = { ...last, contents: [...last.contents, content] };
    } else {
      turns.push({ role, contents: [content], start });
    }
  }
  return turns;
}

/** Roles, empty texts, and the order and number of calls and responses (E-08 to E-15, E-19b): the first violated rule. */
export function historyProblem(subject: Subject): Problem | undefined {
  const { contents } = subject.request;
  return roleProblem(subject) ?? emptyTextProblem(subject) ?? turnProblem(turnsOf(contents, subject.model), subject);
}

/** Whether every response has the name and the id of its call. The switch can make the id optional. */
export function responsesMatch(subject: Subject): boolean {
  const turns = turnsOf(subject.request.contents, subject.model);
  const byName = subject.switches.responseMatching === "given";
  return turns.every((turn, index) => {
    const next = turns[index + 1];
    return turn.role === "user" || !next || matchesCalls(callsOfTurn(partsOf(turn)).open, partsOf(next), byName);
  });
}

function roleProblem({ request, model, profile }: Subject): Problem | undefined {
  const bad = request.contents.some((content) => {
    const role: string | undefined = content.role;
    if (role === "user" || role === "model") return false;
    if (role === undefined || role === "") return profile === "vertex";
    // Recorded with 200 up to gemini-3.1-pro-preview.
    return !(role === "function" && model.generation <= 3.1 && content.parts.every(isResponse));
  });
  return bad ? problem("E-08", "Please use a valid role: user, model.") : undefined;
}

/** Applies only to the user's texts: the service accepts empty text from the model. */
function emptyTextProblem({ request, model, surface }: Subject): Problem | undefined {
  if (surface !== "vertex" || !isOlderThan3(model)) return undefined;
  const found = request.contents.some(
    (content) => roleOf(content) === "user" && content.parts.some(({ text }) => text === ""),
  );
  if (!found) return undefined;
  return problem(
    "E-09",
    "Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again. Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini",
  );
}

function turnProblem(turns: readonly Turn[], subject: Subject): Problem | undefined {
  for (const [index, turn] of turns.entries()) {
    const found =
      turn.role === "model" ? modelTurnProblem(turns, index, subject) : userTurnProblem(turns, index, subject);
    if (found) return found;
  }
  const matching = /refuse|given/.test(subject.switches.responseMatching) && subject.model.strictMatching;
  return matching && !responsesMatch(subject) ? problem("E-15", COUNTS) : undefined;
}

function modelTurnProblem(turns: readonly Turn[], index: number, { model, switches }: Subject): Problem | undefined {
  const parts = partsOf(turns[index]);
  const { open, answered, stray } = callsOfTurn(parts);
  if (stray.length > 0 && switches.guesses) return problem("E-19b", RESPONSE_TURN);
  const calls = open.length + answered.length;
  if (calls > 0 && index === 0) return problem("E-11", CALL_TURN);
  const next = turns[index + 1];
  if (!next && !model.prefill) return problem("E-13", MODEL_ENDING);
  const responses = partsOf(next).filter(isResponse).length;
  if (calls === 0 || open.length === responses) return undefined;
  const isFollowedByText = partsOf(next).length > 0 || parts.at(-1)?.text !== undefined;
  return model.unansweredCalls && responses === 0 && isFollowedByText ? undefined : problem("E-10", COUNTS);
}

function userTurnProblem(turns: readonly Turn[], index: number, subject: Subject): Problem | undefined {
  const parts = partsOf(turns[index]);
  if (parts.some(isCall) && subject.switches.guesses) return problem("E-19b", CALL_TURN);
  const first = parts.findIndex(isResponse);
  if (first === -1) return undefined;
  const before = turns[index - 1];
  if (!before || !partsOf(before).some((part) => isCall(part) || isResponse(part)))
    return problem("E-12", RESPONSE_TURN);
  // Responses split across two contents: the second content is one too many.
  if (before.role === "user") return problem("E-10", COUNTS);
  const trailing = parts.slice(first).some((part) => !isResponse(part));
  return trailing && refusesMixed(subject) ? problem("E-14", MODEL_ENDING) : undefined;
}

function refusesMixed({ model, surface, switches }: Subject): boolean {
  if (isOlderThan3(model) || switches.mixedResponses === "accept") return false;
  return switches.mixedResponses === "refuse" || surface === "vertex" || !model.mixedResponses;
}

function partsOf(turn: Turn | undefined): Content["parts"] {
  return turn?.contents.flatMap(({ parts }) => parts) ?? [];
}
