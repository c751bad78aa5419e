import type { SessionEntry } from "./entries.ts";
import type { LogLine } from "./log-line.ts";
import { readLines } from "./mend-lines.ts";
import { orderLog } from "./mend-order.ts";
import { SessionView } from "./session-view.ts";
import { showContent } from "./show-contents.ts";
import { Page, type ShowOptions } from "./show-page.ts";
import { countOf, showRun, usageLine } from "./show-run.ts";
import { inOneLine } from "./terminal-text.ts";

/**
 * A session's conversation for a person to read: who said what, calls and their results in short, what was asked and answered,
 * how each run ended and what it used. Nothing in it can move a terminal's cursor.
 *
 * @param entries - The whole log of a session that opens.
 */
export function showSession(entries: readonly SessionEntry[], options: ShowOptions = {}): string {
  const { title = "", thoughts = false } = options;
  const page = new Page(options);
  const { head, groups } = orderLog(readLines(entries.map((value): LogLine => ({ value }))));
  const view = new SessionView();
  for (const entry of entries) view.add(entry);
  page.heading(
    `Session ${title === "" ? "" : `${inOneLine(title, 200)}: `}${countOf(groups.length, "run")}, ${countOf(entries.length, "entry", "entries")}`,
  );
  for (const { entry } of head) {
    if (entry.type !== "history") continue;
    page.heading(entry.from === undefined ? "From before" : `From session ${entry.from.session}`);
    for (const { contents } of entry.parts)
      for (const content of contents) showContent(page, content, content.role, thoughts);
  }
  for (const [index, group] of groups.entries()) {
    const { at, model } = group.run.entry;
    page.heading(`Run ${index + 1}, ${timeOf(at)}, ${model}`);
    const last = group.items.findLast(({ entry }) => entry.type === "end" || entry.type === "resume")?.entry;
    showRun(page, group, last?.type === "end" ? last : undefined, thoughts);
  }
  const unheard = view.steersAfter(view.steeringCursor);
  if (unheard.length > 0) page.heading("Said, and not heard yet");
  for (const { contents } of unheard) for (const content of contents) showContent(page, content, "said", thoughts);
  const { runs, turns, toolCalls, usage, cost } = view;
  if (runs > 0)
    page.heading(
      `Total of ${countOf(runs, "ended run")}: ${countOf(turns, "turn")}, ${countOf(toolCalls, "call")}, ${usageLine(usage, cost)}`,
    );
  return page.toString();
}

function timeOf(at: number): string {
  // Beyond what a Date can hold there is none.
  return Math.abs(at) > 8.64e15
    ? "at an unknown time"
    : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
