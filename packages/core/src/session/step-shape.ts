import { isObject } from "../internal/json.ts";
import { type CallRoute, parseStepName } from "../durable/run-log.ts";
import { isNameless, problemOfContent, problemOfContents, problemOfList, problemOfPart } from "./content-shape.ts";
import { type Fields, isCount, isError, isText, isTimed, isUsage } from "./stored-values.ts";

/** What a route may say is to be done with a call; one that is missing here does not compile. */
const ROUTES: { readonly [Do in CallRoute["do"]]: true } = {
  run: true,
  "ask-approval": true,
  "ask-outcome": true,
  deny: true,
};

/** What is wrong with the outcome of a step; `undefined` for nothing. */
export function problemOfOutcome({ step, outcome }: Fields): string | undefined {
  if (!isObject(outcome) || typeof outcome["ok"] !== "boolean") return "outcome is not an outcome";
  const { ok, value, error } = outcome;
  if (!ok) return isError(error) ? undefined : "outcome.error is not an error";
  return problemOfNested(value) ?? problemOfValue(String(step), value);
}

function problemOfValue(step: string, value: unknown): string | undefined {
  const { kind } = parseStepName(step);
  // What is read as one has to be one, under whatever name.
  if (kind === "model" || (isObject(value) && "response" in value)) return problemOfModelStep(value);
  if (kind === "call" || (isObject(value) && "part" in value)) return problemOfCallStep(value);
  if (kind === "compact")
    return isObject(value) && Array.isArray(value["nested"]) && isText(value["summary"]) && isTimed(value)
      ? undefined
      : "outcome.value is no summary";
  if (kind !== "route") return undefined;
  return problemOfList(value, "outcome.value", (route, at) =>
    isObject(route) && Object.hasOwn(ROUTES, String(route["do"])) ? undefined : `${at} is no route`,
  );
}

function problemOfModelStep(value: unknown): string | undefined {
  const at = "outcome.value";
  if (!isObject(value) || !isObject(value["response"])) return `${at} holds no answer of the model`;
  const { response, steered } = value;
  if (!isText(response["finishReason"])) return `${at}.response.finishReason is not a text`;
  if (!isUsage(response["usage"])) return `${at}.response.usage is not a usage`;
  if (!isObject(response["candidate"]) || !isObject(response["envelope"]))
    return `${at}.response lacks what came with it`;
  if (!isTimed(value)) return `${at} has no times`;
  const { content } = response;
  const parts = isObject(content) && Array.isArray(content["parts"]) ? content["parts"] : undefined;
  const readable =
    isObject(content) && parts ? { ...content, parts: parts.filter((part) => !isNameless(part)) } : content;
  const problem = problemOfContent(readable, `${at}.response.content`);
  if (problem !== undefined) return problem;
  if (!isObject(content) || content["role"] !== "model") return `${at}.response.content is not the model's`;
  if (steered === undefined) return undefined;
  if (!isObject(steered) || !isCount(steered["upTo"])) return `${at}.steered has no place`;
  return problemOfContents(steered["contents"], `${at}.steered.contents`);
}

function problemOfCallStep(value: unknown): string | undefined {
  const at = "outcome.value";
  if (!isObject(value)) return `${at} holds no result of a call`;
  if (!isTimed(value)) return `${at} has no times`;
  if (!Array.isArray(value["nested"])) return `${at}.nested is not a list`;
  const { failure } = value;
  if (
    failure !== undefined &&
    !(isObject(failure) && isText(failure["kind"]) && typeof failure["message"] === "string")
  )
    return `${at}.failure is not a failure`;
  const problem =
    problemOfPart(value["part"], `${at}.part`, "user") ??
    problemOfList(value["after"], `${at}.after`, (part, where) => problemOfPart(part, where, "user"));
  if (problem !== undefined) return problem;
  return isObject((value["part"] as Fields)["functionResponse"]) ? undefined : `${at}.part is no function response`;
}

/** Runs inside the step: those of an agent that is a tool, or of a summary. */
function problemOfNested(value: unknown): string | undefined {
  if (!isObject(value) || value["nested"] === undefined) return undefined;
  return problemOfList(value["nested"], "outcome.value.nested", (run, at) =>
    isObject(run) && isUsage(run["usage"]) && Array.isArray(run["responses"]) ? undefined : `${at} is not a run`,
  );
}
