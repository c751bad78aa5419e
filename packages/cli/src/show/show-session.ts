import type { PendingQuestion, SessionEntry } from "@pollux/core";
import { explainUntrusted } from "@pollux/core/conversation";
import {
  type EndEntry,
  type OutsideAnswer,
  outlineSession,
  type RunOutline,
  type SessionTotals,
} from "@pollux/core/doctor";
import { inOneLine } from "../terminal-text.ts";
import { formatCall, Page, showContent, type ShowSessionOptions } from "./page.ts";

/**
 * A session's conversation as text for a person: who said what, calls and results in short form, questions and answers, how each
 * run ended and what it used. The text holds no terminal codes other than its own colors.
 *
 * @param entries - The whole log of a session that can be opened.
 */
export function showSession(entries: readonly SessionEntry[], options: ShowSessionOptions = {}): string {
  const { title = "", thoughts = false } = options;
  const page = new Page(options);
  const { histories, runs, unread, totals } = outlineSession(entries);
  page.heading(
    `Session ${title === "" ? "" : `${inOneLine(title, 200)}: `}${formatCount(runs.length, "run")}, ${formatCount(entries.length, "entry", "entries")}`,
  );
  for (const { from, contents } of histories) {
    page.heading(from === undefined ? "Imported history" : `From session ${from}`);
    for (const content of contents) showContent(page, content, content.role, thoughts);
  }
  for (const [index, run] of runs.entries()) {
    page.heading(`Run ${index + 1}, ${formatTime(run.at)}, ${run.model}${run.isTakenBack ? ", taken back" : ""}`);
    showRun(page, run, thoughts);
  }
  if (unread.length > 0) page.heading("Steering messages not delivered yet");
  for (const content of unread) showContent(page, content, "said", thoughts);
  const { turns, toolCalls } = totals;
  if (totals.runs > 0)
    page.heading(
      `Total of ${formatCount(totals.runs, "ended run")}: ${formatCount(turns, "turn")}, ${formatCount(toolCalls, "call")}, ${formatUsage(totals)}`,
    );
  return page.toString();
}

function formatTime(at: number): string {
  // Outside the range of a Date.
  return Math.abs(at) > 8.64e15
    ? "at an unknown time"
    : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function showRun(page: Page, { input, added, compaction, end }: RunOutline, thoughts: boolean): void {
  for (const content of input) showContent(page, content, content.role, thoughts);
  for (const { content, isSteering, questions, held } of added) {
    showContent(page, content, content.role === "model" ? "model" : isSteering ? "said" : "retry", thoughts);
    for (const { call, because } of held)
      page.say("held", `${inOneLine(call.name, 100)}: ${explainUntrusted(because, call)}`);
    for (const { name, question, answer, by } of questions) {
      page.say("asked", `${name}: ${QUESTIONS[question]}`);
      page.say("answer", `${name}: ${formatAnswer(answer)}${by === undefined ? "" : ` (${inOneLine(by, 80)})`}`);
    }
  }
  if (compaction !== undefined) {
    const { summary, keepFrom } = compaction;
    const text = summary.flatMap(({ parts }) => parts.flatMap((part) => part.text ?? [])).join("\n");
    page.say("summary", `sent from now on instead of the first ${keepFrom} contents: ${inOneLine(text, 240)}`);
  }
  for (const { callId, call, question } of end?.pending ?? [])
    page.say("waits", `${formatCall(call)}: ${QUESTIONS[question]} (${callId})`);
  page.say("end", end === undefined ? "none: the run was interrupted, or is still running" : formatEnd(end));
}

/** Usage and cost, in one line. */
function formatUsage({
  usage,
  cost = 0,
  unpriced,
  pricesAsOf,
}: Omit<SessionTotals, "runs" | "turns" | "toolCalls">): string {
  const count = (tokens: number): string => tokens.toLocaleString("en-US");
  const kinds = [
    `${count(usage.inputTokens)} in${usage.cachedTokens > 0 ? ` (${count(usage.cachedTokens)} cached)` : ""}`,
    `${count(usage.outputTokens)} out`,
    ...(usage.thoughtTokens > 0 ? [`${count(usage.thoughtTokens)} thinking`] : []),
    ...(usage.toolUseTokens > 0 ? [`${count(usage.toolUseTokens)} by server-side tools`] : []),
  ];
  const searches = usage.searchQueries > 0 ? `, ${formatCount(usage.searchQueries, "search", "searches")}` : "";
  const asOf = pricesAsOf === undefined ? "" : ` (prices of ${pricesAsOf})`;
  const known = cost === 0 ? "" : `, cost ${cost.toFixed(6)}${asOf}`;
  const money = unpriced === undefined ? known : `, cost unknown: ${inOneLine(unpriced, 80)} has no price`;
  return `${count(usage.totalTokens)} tokens (${kinds.join(", ")}) in ${formatCount(usage.requests, "request")}${searches}${money}`;
}

/** `1 call`, `2 calls`. */
function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function formatEnd(end: EndEntry): string {
  const { stopReason, turns, toolCalls, error } = end;
  const why = error === undefined ? "" : ` (${error.name}: ${inOneLine(error.message, 400)})`;
  return `${stopReason}${why}; ${formatCount(turns, "turn")}, ${formatCount(toolCalls, "call")}, ${formatUsage(end)}`;
}

const QUESTIONS: { readonly [Question in PendingQuestion]: string } = {
  approval: "may it run?",
  outcome: "what was the outcome?",
  "unknown-outcome": "did it happen? The process died while it was running",
  job: "how does its job end?",
};

function formatAnswer(answer: OutsideAnswer): string {
  switch (answer.kind) {
    case "approved":
      return "yes";
    case "edited":
      return `yes, with ${inOneLine(answer.args, 240)}`;
    case "denied":
      return answer.text === "" ? "no" : `no: ${answer.text}`;
    case "withdrawn":
      return answer.text === "" ? "withdrawn" : `withdrawn: ${answer.text}`;
    case "asks":
      return inOneLine({ ask: answer.args }, 240);
    case "not-executed":
      return "it never happened";
    case "output":
      return inOneLine({ output: answer.output }, 240);
    case "failed":
      return inOneLine({ error: answer.text }, 240);
  }
}
