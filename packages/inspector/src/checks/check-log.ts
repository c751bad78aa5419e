import { checkSession, type LogLine, repairSession } from "@pollux/core/doctor";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import type { LogCheck } from "../inspection/results.ts";
import type { SessionFold } from "../inspection/session-fold.ts";

/** What the doctor says about a log. */
export function checkLog({ entries }: SessionFold): LogCheck {
  const lines = entries.map((entry): LogLine => {
    const { unreadable, text } = fieldsOf(entry);
    return typeof unreadable === "string" ? { problem: unreadable, text: textOf(text) ?? "" } : { value: entry };
  });
  const { refused, entries: repaired } = repairSession(lines);
  return {
    ...checkSession(lines),
    refused: refused && `${refused.problem}; ${refused.remedy}`,
    repairedLength: repaired.length,
  };
}
