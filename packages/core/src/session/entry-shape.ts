import { isObject } from "../internal/json.ts";
import { problemOfContent, problemOfContents, problemOfList, problemOfPart } from "./content-shape.ts";
import type { EndEntry, SessionEntry } from "./entries.ts";
import { problemOfOutcome } from "./step-shape.ts";
import { type Fields, isCount, isError, isNumber, isOrigin, isText, isUsage } from "./stored-values.ts";

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
  if (Object.keys(value).length > 1 && !("role" in value)) return `${at} is no content and no step`;
  if ("role" in value) return problemOfWhole(value, at);
  if ("model" in value) return isText(value["model"]) ? undefined : `${at}.model is not a step`;
  if ("after" in value)
    return problemOfList(value["after"], `${at}.after`, (name, where) =>
      isText(name) ? undefined : `${where} is not a step`,
    );
  return problemOfList(value["calls"], `${at}.calls`, (one, where) =>
    isText(one) ? undefined : problemOfPart(one, where, "user"),
  );
}

function problemOfWhole(value: Fields, at: string): string | undefined {
  const isRef = "model" in value || "calls" in value || "after" in value;
  return isRef ? `${at} is a content and a step` : problemOfContent(value, at);
}

function firstWrong(entry: Fields, checks: Readonly<Record<string, (value: unknown) => boolean>>): string | undefined {
  for (const [key, isRight] of Object.entries(checks)) if (!isRight(entry[key])) return `${key} is missing or wrong`;
  return undefined;
}
