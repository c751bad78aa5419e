import { HttpError } from "@pollux/core/serving";
import type { Json } from "@pollux/core";
import { isRecording, readRecording } from "../../../src/inspection/recording.ts";
import { readableEntry, unreadableEntry } from "../../../src/inspection/session-fold.ts";
import { fieldsOf } from "../../../src/inspection/read-values.ts";

/** A dropped file. */
export interface FileText {
  readonly name: string;
  readonly text: string;
}

/** A session with its kept exchanges. */
export interface FileSession {
  readonly id: string;
  readonly entries: readonly Json[];
  readonly exchanges: readonly Json[];
}

/**
 * Reads session files, logs of kept exchanges and recordings. A log of exchanges belongs to the session whose file has the same name.
 *
 * @throws {HttpError} `not_readable` for other files only.
 */
export function readFiles(files: readonly FileText[]): readonly FileSession[] {
  const logs = files.map((file) => ({ name: baseName(file.name), read: readFile(file.text) }));
  const kept = new Map<string, readonly Json[]>();
  const sessions: FileSession[] = [];
  for (const { name, read } of logs) if (read?.kind === "exchanges") kept.set(name, read.entries);
  for (const { name, read } of logs) {
    if (read?.kind === "recording") sessions.push({ id: name, ...readRecording(read.file) });
    if (read?.kind !== "session") continue;
    sessions.push({ id: name, entries: read.entries, exchanges: kept.get(name) ?? [] });
    kept.delete(name);
  }
  // Shows exchanges without a session file alone.
  for (const [id, exchanges] of kept) sessions.push({ id, entries: [], exchanges });
  if (sessions.length === 0)
    throw new HttpError(
      400,
      "not_readable",
      "This is not a session file (.jsonl), a log of kept exchanges (.jsonl) or a recording (.json).",
    );
  return sessions;
}

type ReadFile =
  | { readonly kind: "session" | "exchanges"; readonly entries: readonly Json[] }
  | { readonly kind: "recording"; readonly file: unknown };

function readFile(text: string): ReadFile | undefined {
  const whole = parse(text);
  if (whole.value !== undefined && isRecording(whole.value)) return { kind: "recording", file: whole.value };
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const entries = lines.map((line): Json => {
    const { value, problem } = parse(line);
    return problem === undefined ? readableEntry(value) : unreadableEntry({ problem, text: line });
  });
  const types = entries.slice(0, 20).map((entry) => fieldsOf(entry)["type"]);
  if (types.includes("exchange")) return { kind: "exchanges", entries };
  return types.some((type) => typeof type === "string") ? { kind: "session", entries } : undefined;
}

function parse(text: string): { readonly value?: unknown; readonly problem?: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `it is not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
}

/** The session id in a file name of a `JsonlStore`; the name itself if shortened. */
function baseName(name: string): string {
  const base = name.replace(/\.(?:jsonl|json)(?:\.(?:repaired|bak))?$/, "");
  return base
    .replaceAll(/\+([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replaceAll(/%u([\da-f]{4})|%([\da-f]{2})/g, (_, wide: string | undefined, narrow: string | undefined) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow ?? "", 16)),
    );
}
