import { isObject } from "../internal/json.ts";
import { NO_USAGE } from "../model/usage.ts";
import { problemOfContent, problemOfContents, problemOfList, problemOfPart } from "./content-shape.ts";
import type { EndEntry, SessionEntry } from "./entries.ts";

type Fields = Readonly<Record<string, unknown>>;

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
    problemOfList(parts, "parts", problemOfStretch) ??
    (from === undefined || (isObject(from) && isText(from["session"]) && isCount(from["contents"]))
      ? undefined
      : "from does not name a session"),
  run: (entry) =>
    firstWrong(entry, { runId: isText, loop: isCount, model: isText, origin: isOrigin }) ??
    problemOfContents(entry["input"], "input"),
  begin: (entry) => firstWrong(entry, { runId: isText, step: isText }),
  step: (entry) => firstWrong(entry, { runId: isText, step: isText }) ?? problemOfOutcome(entry),
  answer: (entry) => firstWrong(entry, { runId: isText, step: isText, value: (value) => value !== undefined }),
  resume: (entry) => firstWrong(entry, { runId: isText }),
  steer: ({ contents }) => problemOfContents(contents, "contents"),
  end: problemOfEnd,
};

/** What is wrong with the members of an entry whose version and type are known; `undefined` for nothing. */
export function problemOfShape(entry: Fields): string | undefined {
  if (!isNumber(entry["at"])) return "at is not a time";
  return SHAPES[entry["type"] as SessionEntry["type"]](entry);
}

function problemOfStretch(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  if (value["origin"] !== undefined && !isOrigin(value["origin"])) return `${at}.origin is not an origin`;
  return problemOfContents(value["contents"], `${at}.contents`);
}

function problemOfOutcome({ step, outcome }: Fields): string | undefined {
  if (!isObject(outcome) || typeof outcome["ok"] !== "boolean") return "outcome is not an outcome";
  const { ok, value, error } = outcome;
  if (!ok) return isError(error) ? undefined : "outcome.error is not an error";
  if (/^(?:output\/)?model:/.test(String(step))) return problemOfModelStep(value);
  return /^call:/.test(String(step)) ? problemOfCallStep(value) : undefined;
}

function problemOfModelStep(value: unknown): string | undefined {
  const at = "outcome.value";
  if (!isObject(value) || !isObject(value["response"])) return `${at} holds no answer of the model`;
  const { response, steered } = value;
  if (!isText(response["finishReason"])) return `${at}.response.finishReason is not a text`;
  if (!isUsage(response["usage"])) return `${at}.response.usage is not a usage`;
  const problem = problemOfContent(response["content"], `${at}.response.content`);
  if (problem !== undefined) return problem;
  if ((response["content"] as Fields)["role"] !== "model") return `${at}.response.content is not the model's`;
  if (steered === undefined) return undefined;
  if (!isObject(steered) || !isCount(steered["upTo"])) return `${at}.steered has no place`;
  return problemOfContents(steered["contents"], `${at}.steered.contents`);
}

function problemOfCallStep(value: unknown): string | undefined {
  const at = "outcome.value";
  if (!isObject(value)) return `${at} holds no result of a call`;
  const problem =
    problemOfPart(value["part"], `${at}.part`, "user") ??
    problemOfList(value["after"], `${at}.after`, (part, where) => problemOfPart(part, where, "user")) ??
    problemOfList(value["nested"], `${at}.nested`, (run, where) =>
      isObject(run) && isUsage(run["usage"]) ? undefined : `${where} is not a run`,
    );
  if (problem !== undefined) return problem;
  return isObject((value["part"] as Fields)["functionResponse"]) ? undefined : `${at}.part is no function response`;
}

function problemOfEnd(entry: Fields): string | undefined {
  const { stopReason, usage, pending, error, cost, compaction } = entry;
  const problem = firstWrong(entry, { runId: isText, turns: isCount, toolCalls: isCount });
  if (problem !== undefined) return problem;
  if (typeof stopReason !== "string" || !Object.hasOwn(STOP_REASONS, stopReason)) return "stopReason is unknown";
  if (!isUsage(usage)) return "usage is not a usage";
  if (cost !== undefined && !isNumber(cost)) return "cost is not a number";
  if (error !== undefined && !isError(error)) return "error is not an error";
  if (compaction !== undefined) {
    if (!isObject(compaction) || !isCount(compaction["keepFrom"])) return "compaction has no place";
    const inSummary = problemOfContents(compaction["summary"], "compaction.summary");
    if (inSummary !== undefined) return inSummary;
  }
  return (
    (pending === undefined ? undefined : problemOfList(pending, "pending", problemOfPending)) ??
    problemOfList(entry["added"], "added", problemOfRef)
  );
}

function problemOfPending(value: unknown, at: string): string | undefined {
  const isPending =
    isObject(value) &&
    isText(value["callId"]) &&
    isText(value["question"]) &&
    isObject(value["call"]) &&
    isCount(value["turn"]);
  return isPending ? undefined : `${at} is not a waiting call`;
}

function problemOfRef(value: unknown, at: string): string | undefined {
  if (!isObject(value)) return `${at} is not an object`;
  if ("model" in value) return isText(value["model"]) ? undefined : `${at}.model is not a step`;
  if ("after" in value)
    return problemOfList(value["after"], `${at}.after`, (name, where) =>
      isText(name) ? undefined : `${where} is not a step`,
    );
  if (!("calls" in value)) return problemOfContent(value, at);
  return problemOfList(value["calls"], `${at}.calls`, (one, where) =>
    isText(one) ? undefined : problemOfPart(one, where, "user"),
  );
}

function firstWrong(entry: Fields, checks: Readonly<Record<string, (value: unknown) => boolean>>): string | undefined {
  for (const [key, isRight] of Object.entries(checks)) if (!isRight(entry[key])) return `${key} is missing or wrong`;
  return undefined;
}

function isUsage(value: unknown): boolean {
  return isObject(value) && Object.entries(NO_USAGE).every(([key, none]) => typeof value[key] === typeof none);
}

function isError(value: unknown): boolean {
  return isObject(value) && typeof value["name"] === "string" && typeof value["message"] === "string";
}

function isOrigin(value: unknown): boolean {
  return isObject(value) && typeof value["endpoint"] === "string" && typeof value["family"] === "string";
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
