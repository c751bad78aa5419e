import type { SessionEntry } from "../session/entries.ts";
import type { LogLine } from "../doctor/read-lines.ts";

/** A session as a file holds it. */
export interface StoredSession {
  /** Absent when the file's name tells none. */
  readonly id: string | undefined;
  readonly lines: readonly LogLine[];
  /** The text an entry was read from: what is not changed is written back as it was. */
  readonly texts: WeakMap<object, string>;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const anyhow = new TextDecoder();

/** One entry's text as a line of the log. */
export function readText(text: string, texts: WeakMap<object, string>): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) texts.set(value, text);
    return { value };
  } catch (error) {
    return { problem: `it is not JSON (${error instanceof Error ? error.message : String(error)})`, text };
  }
}

/** One entry's bytes as a line of the log. */
export function readBytes(bytes: Uint8Array, texts: WeakMap<object, string>): LogLine {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { problem: "it is not UTF-8", text: anyhow.decode(bytes) };
  }
  return readText(text.trimEnd(), texts);
}

/** The text to write for an entry. */
export function textOf(entry: SessionEntry, { texts }: Pick<StoredSession, "texts">): string {
  return texts.get(entry) ?? JSON.stringify(entry);
}
