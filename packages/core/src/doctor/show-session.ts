import { buildCallId } from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import { openCallsIn } from "../model/history/open-calls.ts";
import type { Usage } from "../model/usage.ts";
import type { EndEntry, SessionEntry } from "../session/log/entries.ts";
import type { RunRecord } from "../session/log/session-view.ts";
import type { PendingQuestion } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import { formatCall, inOneLine, type Label, Page, showContent, type ShowOptions } from "./page.ts";
import {
  type CallValue,
  listCallValues,
  listModelSteps,
  readRuns,
  rebuildRun,
  resolveKnownRefs,
} from "./rebuild-run.ts";

/**
 * A session's conversation as text for a person: who said what, calls and results in short form, questions and answers, how each
 * run ended and what it used. The text holds no terminal codes other than its own colors.
 *
 * @param entries - The whole log of a session that opens.
 */
export function showSession(entries: readonly SessionEntry[], options: ShowOptions = {}): string {
  const { title = "", thoughts = false } = options;
  const page = new Page(options);
  const { view, runs } = readRuns(entries);
  page.heading(
    `Session ${title === "" ? "" : `${inOneLine(title, 200)}: `}${formatCount(runs.length, "run")}, ${formatCount(entries.length, "entry", "entries")}`,
  );
  for (const entry of entries) {
    if (entry.type !== "history") continue;
    page.heading(entry.from === undefined ? "Imported history" : `From session ${entry.from.session}`);
    for (const content of entry.parts.flatMap(({ contents }) => contents))
      showContent(page, content, content.role, thoughts);
  }
  for (const [index, run] of runs.entries()) {
    const isTakenBack = !view.starts.some(({ entry }) => entry === run.entry);
    page.heading(
      `Run ${index + 1}, ${formatTime(run.entry.at)}, ${run.entry.model}${isTakenBack ? ", taken back" : ""}`,
    );
    showRun(page, run, thoughts);
  }
  const unread = view.steersAfter(view.steeringCursor);
  if (unread.length > 0) page.heading("Steering messages not delivered yet");
  for (const { contents } of unread) for (const content of contents) showContent(page, content, "said", thoughts);
  const { turns, toolCalls, usage, cost } = view;
  if (view.runs > 0)
    page.heading(
      `Total of ${formatCount(view.runs, "ended run")}: ${formatCount(turns, "turn")}, ${formatCount(toolCalls, "call")}, ${formatUsage(usage, cost)}`,
    );
  return page.toString();
}

/**
 * The history that a session's log holds, in wire format.
 *
 * @param entries - The whole log of a session that opens.
 */
export function sessionHistory(entries: readonly SessionEntry[]): readonly Content[] {
  return readRuns(entries).view.history();
}

function formatTime(at: number): string {
  // Outside the range of a Date.
  return Math.abs(at) > 8.64e15
    ? "at an unknown time"
    : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function showRun(page: Page, { entry, outcomes, end }: RunRecord, thoughts: boolean): void {
  const steps = listModelSteps(outcomes);
  const turns = new Map(steps.map(({ turn, value }) => [value.response.content, turn]));
  const steered = new Set(
    steps.flatMap(({ value }) => value.steered?.contents ?? []).map((one) => JSON.stringify(one)),
  );
  const calls = listCallValues(outcomes);
  const added =
    end === undefined ? rebuildRun(outcomes, undefined).added : resolveKnownRefs(end.added, outcomes).contents;
  for (const content of entry.input) showContent(page, content, content.role, thoughts);
  for (const content of added) {
    showContent(page, content, chooseLabel(content, steered), thoughts);
    const turn = turns.get(content);
    if (turn === undefined) continue;
    for (const [index, { name }] of openCallsIn([content]).entries())
      for (const one of calls.get(buildCallId(turn, index)) ?? []) {
        if (one.question === undefined) continue;
        page.say("asked", `${name}: ${QUESTIONS[one.question]}`);
        page.say("answer", `${name}: ${formatAnswer(one)}`);
      }
  }
  if (end?.compaction !== undefined) {
    const { summary, keepFrom } = end.compaction;
    const text = summary.flatMap(({ parts }) => parts.flatMap((part) => part.text ?? [])).join("\n");
    page.say("summary", `sent from now on instead of the first ${keepFrom} contents: ${inOneLine(text, 240)}`);
  }
  for (const { callId, call, question } of end?.pending ?? [])
    page.say("waits", `${formatCall(call)}: ${QUESTIONS[question]} (${callId})`);
  page.say("end", end === undefined ? "none: the run was interrupted, or is still running" : formatEnd(end));
}

/** What was used, in one line. */
function formatUsage(usage: Usage, cost: number | undefined): string {
  const count = (tokens: number): string => tokens.toLocaleString("en-US");
  const kinds = [
    `${count(usage.inputTokens)} in${usage.cachedTokens > 0 ? ` (${count(usage.cachedTokens)} cached)` : ""}`,
    `${count(usage.outputTokens)} out`,
    ...(usage.thoughtTokens > 0 ? [`${count(usage.thoughtTokens)} thinking`] : []),
    ...(usage.toolUseTokens > 0 ? [`${count(usage.toolUseTokens)} by server-side tools`] : []),
  ];
  const searches = usage.searchQueries > 0 ? `, ${formatCount(usage.searchQueries, "search", "searches")}` : "";
  const money = cost === undefined || cost === 0 ? "" : `, cost ${cost.toFixed(6)}`;
  return `${count(usage.totalTokens)} tokens (${kinds.join(", ")}) in ${formatCount(usage.requests, "request")}${searches}${money}`;
}

/** `1 call`, `2 calls`. */
function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function formatEnd({ stopReason, turns, toolCalls, usage, cost, error }: EndEntry): string {
  const why = error === undefined ? "" : ` (${error.name}: ${inOneLine(error.message, 400)})`;
  return `${stopReason}${why}; ${formatCount(turns, "turn")}, ${formatCount(toolCalls, "call")}, ${formatUsage(usage, cost)}`;
}

function chooseLabel(content: Content, steered: ReadonlySet<string>): Label {
  if (content.role === "model") return "model";
  // Steering messages are stored in full; every other user content after the input is the loop's own.
  return steered.has(JSON.stringify(content)) ? "said" : "retry";
}

const QUESTIONS: { readonly [Question in PendingQuestion]: string } = {
  approval: "may it run?",
  outcome: "what was the outcome?",
  "unknown-outcome": "did it happen? The process died while it was running",
};

function formatAnswer({ question, value }: CallValue): string {
  if (value === true) return "yes";
  const fields = isObject(value) ? value : {};
  if (question === "approval") return typeof fields["deny"] === "string" ? `no: ${fields["deny"]}` : "no";
  return "notExecuted" in fields ? "it never happened" : inOneLine(value, 240);
}
