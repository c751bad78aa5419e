import { callIdOf, parseStepName, waitName } from "../durable/run-log.ts";
import type { Outcome } from "../durable/steps.ts";
import { isObject } from "../internal/json.ts";
import { callsIn } from "../loop/transcript.ts";
import type { Usage } from "../model/usage.ts";
import type { EndEntry, SessionEntry } from "../session/entries.ts";
import { SessionView } from "../session/session-view.ts";
import { formatCall, inOneLine, type Label, Page, showContent, type ShowOptions } from "./page.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { Content, FunctionCall } from "../wire/types/content.ts";
import { groupByRun, type RunGroup } from "./group-runs.ts";
import { type LogLine, readLines } from "./read-lines.ts";
import { collectOutcomes, isModelStep, readValue, rebuildRun } from "./rebuild-run.ts";
import { resolveKnownRefs } from "./repair-run.ts";

/**
 * A session's conversation for a person to read: who said what, calls and their results in short, what was asked and answered,
 * how each run ended and what it used. Nothing in it can move a terminal's cursor.
 *
 * @param entries - The whole log of a session that opens.
 */
export function showSession(entries: readonly SessionEntry[], options: ShowOptions = {}): string {
  const { title = "", thoughts = false } = options;
  const page = new Page(options);
  const { head, groups } = groupByRun(readLines(entries.map((value): LogLine => ({ value }))));
  const view = new SessionView();
  for (const entry of entries) view.add(entry);
  page.heading(
    `Session ${title === "" ? "" : `${inOneLine(title, 200)}: `}${formatCount(groups.length, "run")}, ${formatCount(entries.length, "entry", "entries")}`,
  );
  for (const { entry } of head) {
    if (entry.type !== "history") continue;
    page.heading(entry.from === undefined ? "From before" : `From session ${entry.from.session}`);
    for (const { contents } of entry.parts)
      for (const content of contents) showContent(page, content, content.role, thoughts);
  }
  for (const [index, group] of groups.entries()) {
    const { at, model } = group.run.entry;
    page.heading(`Run ${index + 1}, ${formatTime(at)}, ${model}`);
    const last = group.items.findLast(({ entry }) => entry.type === "end" || entry.type === "resume")?.entry;
    showRun(page, group, last?.type === "end" ? last : undefined, thoughts);
  }
  const unread = view.steersAfter(view.steeringCursor);
  if (unread.length > 0) page.heading("Said, and not heard yet");
  for (const { contents } of unread) for (const content of contents) showContent(page, content, "said", thoughts);
  const { runs, turns, toolCalls, usage, cost } = view;
  if (runs > 0)
    page.heading(
      `Total of ${formatCount(runs, "ended run")}: ${formatCount(turns, "turn")}, ${formatCount(toolCalls, "call")}, ${formatUsage(usage, cost)}`,
    );
  return page.toString();
}

/**
 * The history that a session's log holds, as it goes over the wire.
 *
 * @param entries - The whole log of a session that opens.
 */
export function sessionHistory(entries: readonly SessionEntry[]): readonly Content[] {
  const view = new SessionView();
  for (const entry of entries) view.add(entry);
  return view.history();
}

function formatTime(at: number): string {
  // Beyond what a Date can hold there is none.
  return Math.abs(at) > 8.64e15
    ? "at an unknown time"
    : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Puts a run on the page: what was asked, what came of it, and how it ended. */
export function showRun(page: Page, { run, items }: RunGroup, end: EndEntry | undefined, thoughts: boolean): void {
  const outcomes = collectOutcomes(items);
  const turns = turnsByContent(outcomes);
  const steered = new Set([...outcomes.values()].flatMap(steeredTexts));
  const added =
    end === undefined ? rebuildRun(outcomes, undefined).added : resolveKnownRefs(end.added, outcomes).contents;
  for (const content of run.entry.input) showContent(page, content, content.role, thoughts);
  for (const content of added) {
    showContent(page, content, chooseLabel(content, steered), thoughts);
    const turn = turns.get(content);
    if (turn !== undefined) callsIn(content).forEach((call, index) => showAnswers(page, call, turn, index, outcomes));
  }
  if (end?.compaction !== undefined) {
    const { summary, keepFrom } = end.compaction;
    const text = summary.flatMap(({ parts }) => parts.flatMap((part) => part.text ?? [])).join("\n");
    page.say("summary", `sent from here on in place of the first ${keepFrom} contents: ${inOneLine(text, 240)}`);
  }
  for (const pending of end?.pending ?? []) page.say("waits", formatPending(pending));
  page.say("end", end === undefined ? "none: the run was cut off, or is going on" : formatEnd(end));
}

/** What was used, in one line. */
export function formatUsage(usage: Usage, cost: number | undefined): string {
  const count = (tokens: number): string => tokens.toLocaleString("en-US");
  const kinds = [
    `${count(usage.inputTokens)} in${usage.cachedTokens > 0 ? ` (${count(usage.cachedTokens)} cached)` : ""}`,
    `${count(usage.outputTokens)} out`,
    ...(usage.thoughtTokens > 0 ? [`${count(usage.thoughtTokens)} thinking`] : []),
    ...(usage.toolUseTokens > 0 ? [`${count(usage.toolUseTokens)} by tools of the service`] : []),
  ];
  const searches = usage.searchQueries > 0 ? `, ${formatCount(usage.searchQueries, "search", "searches")}` : "";
  const money = cost === undefined || cost === 0 ? "" : `, cost ${cost.toFixed(6)}`;
  return `${count(usage.totalTokens)} tokens (${kinds.join(", ")}) in ${formatCount(usage.requests, "request")}${searches}${money}`;
}

/** `1 call`, `2 calls`. */
export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function formatEnd({ stopReason, turns, toolCalls, usage, cost, error }: EndEntry): string {
  const why = error === undefined ? "" : ` (${error.name}: ${inOneLine(error.message, 400)})`;
  return `${stopReason}${why}; ${formatCount(turns, "turn")}, ${formatCount(toolCalls, "call")}, ${formatUsage(usage, cost)}`;
}

function chooseLabel(content: Content, steered: ReadonlySet<string>): Label {
  if (content.role === "model") return "model";
  // What was said on the way is written in full; all else of the user's side is the loop's own.
  return steered.has(JSON.stringify(content)) ? "said" : "retry";
}

function turnsByContent(outcomes: ReadonlyMap<string, Outcome>): Map<Content, number> {
  const turns = new Map<Content, number>();
  for (const [name, outcome] of outcomes) {
    const step = parseStepName(name);
    const value = readValue(outcome);
    if (step.kind === "model" && isModelStep(value)) turns.set(value.response.content, step.turn);
  }
  return turns;
}

function steeredTexts(outcome: Outcome): string[] {
  const value = readValue(outcome);
  return isModelStep(value) ? (value.steered?.contents ?? []).map((content) => JSON.stringify(content)) : [];
}

const QUESTIONS: { readonly [Question in PendingCall["question"]]: string } = {
  approval: "may it be run?",
  outcome: "what was the outcome?",
  "unknown-outcome": "did it happen? Its process died while it ran",
};

/** What somebody was asked about a call, and what they said. */
function showAnswers(
  page: Page,
  call: FunctionCall,
  turn: number,
  index: number,
  outcomes: ReadonlyMap<string, Outcome>,
): void {
  const callId = callIdOf(turn, index);
  const valueAt = (name: string): unknown => readValue(outcomes.get(name));
  const approval = valueAt(waitName(callId, "approval"));
  if (approval !== undefined) {
    page.say("asked", `${call.name}: ${QUESTIONS.approval}`);
    page.say("answer", `${call.name}: ${formatApproval(approval)}`);
  }
  const external = valueAt(waitName(callId, "outcome"));
  if (isObject(external) && !("part" in external)) showOutcome(page, call.name, "outcome", external);
  for (let time = 1; ; time++) {
    const unknown = valueAt(waitName(callId, "unknown-outcome", time));
    if (!isObject(unknown)) return;
    showOutcome(page, call.name, "unknown-outcome", unknown);
  }
}

function showOutcome(page: Page, name: string, question: "outcome" | "unknown-outcome", answer: object): void {
  page.say("asked", `${name}: ${QUESTIONS[question]}`);
  page.say("answer", `${name}: ${"notExecuted" in answer ? "it never happened" : inOneLine(answer, 240)}`);
}

function formatApproval(approval: unknown): string {
  if (approval === true) return "yes";
  return isObject(approval) && typeof approval["deny"] === "string" ? `no: ${approval["deny"]}` : "no";
}

function formatPending({ callId, call, question }: PendingCall): string {
  return `${formatCall(call)}: ${QUESTIONS[question]} (${callId})`;
}
