import { type CallRoute, parseStepName } from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import { NO_USAGE } from "../model/usage.ts";
import type { EndEntry, SessionEntry } from "../session/entries.ts";

/** How a run may end; one that is missing here does not compile. */
const STOP_REASONS: { readonly [Reason in EndEntry["stopReason"]]: true } = {
  finished: true,
  stopped: true,
  limit: true,
  truncated: true,
  blocked: true,
  empty: true,
  "bad-call": true,
  "repeated-calls": true,
  "invalid-output": true,
  "unknown-finish": true,
  "needs-approval": true,
  "needs-outcome": true,
  failed: true,
  aborted: true,
};

const SHAPES: { readonly [Type in SessionEntry["type"]]: (entry: Fields) => string | undefined } = {
  history: ({ parts, from }) =>
    checkList(parts, "parts", checkSegment) ??
    (from === undefined || (isObject(from) && isText(from["session"]) && isCount(from["contents"]))
      ? undefined
      : "from does not name a session"),
  run: (entry) =>
    checkFields(entry, { runId: isText, loop: isCount, model: isText, origin: isOrigin }) ??
    checkContents(entry["input"], "input"),
  begin: (entry) => checkFields(entry, { runId: isText, step: isText }),
  step: (entry) => checkFields(entry, { runId: isText, step: isText }) ?? checkOutcome(entry),
  answer: (entry) => checkFields(entry, { runId: isText, step: isText, value: (value) => value !== undefined }),
  resume: (entry) => checkFields(entry, { runId: isText }),
  steer: ({ contents }) => checkContents(contents, "contents"),
  end: checkEnd,
};

/** What is wrong with the members of an entry whose version and type are known; `undefined` for nothing. */
export function checkEntry(entry: Fields): string | undefined {
  if (!isNumber(entry["at"])) return "at is not a time";
  return SHAPES[entry["type"] as SessionEntry["type"]](entry);
}

function checkSegment(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  if (value["origin"] !== undefined && !isOrigin(value["origin"])) return `${at}.origin is not an origin`;
  return checkContents(value["contents"], `${at}.contents`);
}

function checkEnd(entry: Fields): string | undefined {
  const { stopReason, usage, pending, error, cost, compaction } = entry;
  const problem = checkFields(entry, { runId: isText, turns: isCount, toolCalls: isCount });
  if (problem !== undefined) return problem;
  if (typeof stopReason !== "string" || !Object.hasOwn(STOP_REASONS, stopReason)) return "stopReason is unknown";
  if (!isUsage(usage)) return "usage is not a usage";
  if (cost !== undefined && !isNumber(cost)) return "cost is not a number";
  if (error !== undefined && !isError(error)) return "error is not an error";
  if (compaction !== undefined) {
    if (!isObject(compaction) || !isCount(compaction["keepFrom"])) return "compaction has no place";
    const inSummary = checkContents(compaction["summary"], "compaction.summary");
    if (inSummary !== undefined) return inSummary;
  }
  return (
    (pending === undefined ? undefined : checkList(pending, "pending", checkPending)) ??
    checkList(entry["added"], "added", checkRef)
  );
}

function checkPending(value: unknown, at: string): string | undefined {
  const isPending =
    isObject(value) &&
    isText(value["callId"]) &&
    isText(value["question"]) &&
    isObject(value["call"]) &&
    isCount(value["turn"]);
  return isPending ? undefined : `${at} is not a waiting call`;
}

function checkRef(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  if (Object.keys(value).length > 1 && !("role" in value)) return `${at} is no content and no step`;
  if ("role" in value) return checkWholeContent(value, at);
  if ("model" in value) return isText(value["model"]) ? undefined : `${at}.model is not a step`;
  if ("after" in value)
    return checkList(value["after"], `${at}.after`, (name, where) =>
      isText(name) ? undefined : `${where} is not a step`,
    );
  return checkList(value["calls"], `${at}.calls`, (one, where) =>
    isText(one) ? undefined : checkPart(one, where, "user"),
  );
}

function checkWholeContent(value: Fields, at: string): string | undefined {
  const isRef = "model" in value || "calls" in value || "after" in value;
  return isRef ? `${at} is a content and a step` : checkContent(value, at);
}

function checkFields(entry: Fields, checks: Readonly<Record<string, (value: unknown) => boolean>>): string | undefined {
  for (const [key, isRight] of Object.entries(checks)) if (!isRight(entry[key])) return `${key} is missing or wrong`;
  return undefined;
}

/** What a route may say is to be done with a call; one that is missing here does not compile. */
const ROUTES: { readonly [Do in CallRoute["do"]]: true } = {
  run: true,
  "ask-approval": true,
  "ask-outcome": true,
  deny: true,
};

/** What is wrong with the outcome of a step; `undefined` for nothing. */
export function checkOutcome({ step, outcome }: Fields): string | undefined {
  if (!isObject(outcome) || typeof outcome["ok"] !== "boolean") return "outcome is not an outcome";
  const { ok, value, error } = outcome;
  if (!ok) return isError(error) ? undefined : "outcome.error is not an error";
  return checkNestedRuns(value) ?? checkStepValue(String(step), value);
}

function checkStepValue(step: string, value: unknown): string | undefined {
  const { kind } = parseStepName(step);
  // What is read as one has to be one, under whatever name.
  if (kind === "model" || (isObject(value) && "response" in value)) return checkModelStep(value);
  if (kind === "call" || (isObject(value) && "part" in value)) return checkCallStep(value);
  if (kind === "compact")
    return isObject(value) && Array.isArray(value["nested"]) && isText(value["summary"]) && isTimed(value)
      ? undefined
      : "outcome.value is no summary";
  if (kind !== "route") return undefined;
  return checkList(value, "outcome.value", (route, at) =>
    isObject(route) && Object.hasOwn(ROUTES, String(route["do"])) ? undefined : `${at} is no route`,
  );
}

function checkModelStep(value: unknown): string | undefined {
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
  const problem = checkContent(readable, `${at}.response.content`);
  if (problem !== undefined) return problem;
  if (!isObject(content) || content["role"] !== "model") return `${at}.response.content is not the model's`;
  if (steered === undefined) return undefined;
  if (!isObject(steered) || !isCount(steered["upTo"])) return `${at}.steered has no place`;
  return checkContents(steered["contents"], `${at}.steered.contents`);
}

function checkCallStep(value: unknown): string | undefined {
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
    checkPart(value["part"], `${at}.part`, "user") ??
    checkList(value["after"], `${at}.after`, (part, where) => checkPart(part, where, "user"));
  if (problem !== undefined) return problem;
  return isObject((value["part"] as Fields)["functionResponse"]) ? undefined : `${at}.part is no function response`;
}

/** Runs inside the step: those of an agent that is a tool, or of a summary. */
function checkNestedRuns(value: unknown): string | undefined {
  if (!isObject(value) || value["nested"] === undefined) return undefined;
  return checkList(value["nested"], "outcome.value.nested", (run, at) =>
    isObject(run) && isUsage(run["usage"]) && Array.isArray(run["responses"]) ? undefined : `${at} is not a run`,
  );
}

/** What is wrong with a stored value that should be a list of contents; `undefined` for nothing. */
export function checkContents(value: unknown, at: string): string | undefined {
  return checkList(value, at, checkContent);
}

/** What is wrong with a stored value that should be a content. */
export function checkContent(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  const { role, parts } = value;
  if (role !== "user" && role !== "model") return `${at}.role is neither "user" nor "model"`;
  return checkList(parts, `${at}.parts`, (part, where) => checkPart(part, where, role));
}

/** What is wrong with a stored value that should be a part. */
export function checkPart(value: unknown, at: string, role: "user" | "model"): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  const { text, thoughtSignature, functionCall: call, functionResponse: response } = value;
  if (text !== undefined && typeof text !== "string") return `${at}.text is not a text`;
  if (thoughtSignature !== undefined && typeof thoughtSignature !== "string")
    return `${at}.thoughtSignature is not a text`;
  if (call !== undefined) {
    if (role !== "model") return `${at} is a call, and only the model calls`;
    if (!isObject(call) || typeof call["name"] !== "string" || call["name"] === "")
      return `${at}.functionCall has no name`;
    if (call["id"] !== undefined && typeof call["id"] !== "string") return `${at}.functionCall.id is not a text`;
    if (call["args"] !== undefined && !isObject(call["args"])) return `${at}.functionCall.args is not an object`;
  }
  if (response !== undefined) {
    if (role !== "user") return `${at} is a function response, and only the user's side responds`;
    if (!isObject(response) || typeof response["name"] !== "string" || response["name"] === "")
      return `${at}.functionResponse has no name`;
    if (response["id"] !== undefined && typeof response["id"] !== "string")
      return `${at}.functionResponse.id is not a text`;
    if (!isObject(response["response"])) return `${at}.functionResponse.response is not an object`;
  }
  return undefined;
}

/** The first problem in a list. */
export function checkList(
  value: unknown,
  at: string,
  problemOf: (item: unknown, at: string) => string | undefined,
): string | undefined {
  if (!Array.isArray(value)) return `${at} is not a list`;
  for (const [index, item] of value.entries()) {
    const problem = problemOf(item, `${at}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** True for a call that the service could not read. Its answer is not used, and so not in the history. */
export function isNameless(part: unknown): boolean {
  return isObject(part) && isObject(part["functionCall"]) && (part["functionCall"]["name"] ?? "") === "";
}

/** Members of a stored object, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** True for the tokens of a run or of an answer. */
export function isUsage(value: unknown): boolean {
  return isObject(value) && Object.entries(NO_USAGE).every(([key, none]) => typeof value[key] === typeof none);
}

/** True for what says when it began and ended. */
export function isTimed(value: Fields): boolean {
  return isNumber(value["startedAt"]) && isNumber(value["endedAt"]);
}

/** True for an error as data. */
export function isError(value: unknown): boolean {
  return isObject(value) && typeof value["name"] === "string" && typeof value["message"] === "string";
}

/** True for where contents came from. */
export function isOrigin(value: unknown): boolean {
  return isObject(value) && typeof value["endpoint"] === "string" && typeof value["family"] === "string";
}

/** True for a text that is not empty. */
export function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/** True for a finite number. */
export function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

/** True for a whole number from 0 on. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
