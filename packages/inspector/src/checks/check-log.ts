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
  const { problems, notes } = checkSession(lines);
  const repair = repairSession(lines);
  return {
    problems,
    notes,
    ...(repair.refused !== undefined && { refused: `${repair.refused.problem}; ${repair.refused.remedy}` }),
    repairedLength: repair.entries.length,
  };
}
