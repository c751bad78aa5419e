import { fieldsOf } from "../inspection/read-values.ts";
import type { TakenFile } from "../inspection/results.ts";
import type { SessionFold } from "../inspection/session-fold.ts";

/** The log as a `JsonlStore` writes it: one entry per line, including unreadable lines. */
export function sessionFile({ id, entries }: SessionFold): TakenFile {
  const lines = entries.map((entry) => {
    const { unreadable, text } = fieldsOf(entry);
    return typeof unreadable === "string" && typeof text === "string" ? text : JSON.stringify(entry);
  });
  return {
    name: `${fileName(id)}.jsonl`,
    text: lines.map((line) => `${line}\n`).join(""),
  };
}

/** A file name for an id, valid on any system. */
export function fileName(id: string): string {
  return (
    id
      .replaceAll(/[^\w.-]+/g, "_")
      .replace(/^\.+/, "_")
      .slice(0, 100) || "session"
  );
}
