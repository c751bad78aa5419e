import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFields } from "../internal/json.ts";

/** One recorded request and its answer. */
export interface RecordedExchange {
  readonly method?: string | undefined;
  /** Path and query, such as `/v1beta/models/gemini-3.8-flash:generateContent`. */
  readonly path?: string | null | undefined;
  readonly model?: string | null | undefined;
  /** The parsed body; null or absent where only the answer was recorded. */
  readonly request?: unknown;
  readonly status: number;
  readonly responseHeaders?: Readonly<Record<string, string>> | undefined;
  /** The body as text. */
  readonly responseBody: string;
}

/** Recorded traffic, in order. */
export interface Recording {
  readonly exchanges: readonly RecordedExchange[];
}

/**
 * Reads a recording: a JSON file, or a folder of such files taken in the order of their names.
 *
 * @throws TypeError where a file holds no exchanges.
 */
export async function loadRecording(path: string): Promise<Recording> {
  const isFolder = (await stat(path)).isDirectory();
  const names = isFolder ? (await readdir(path)).filter((name) => name.endsWith(".json")).toSorted() : [];
  const files = isFolder ? names.map((name) => join(path, name)) : [path];
  const recordings = await Promise.all(files.map(async (file) => readRecording(await readFile(file, "utf8"), file)));
  return { exchanges: recordings.flatMap((recording) => recording.exchanges) };
}

function readRecording(source: string, file: string): Recording {
  const parsed: unknown = JSON.parse(source);
  const exchanges = isFields(parsed) ? parsed["exchanges"] : parsed;
  const list: unknown[] = Array.isArray(exchanges) ? exchanges : [exchanges];
  const wrong = list.findIndex(
    (item) => !isFields(item) || typeof item["status"] !== "number" || typeof item["responseBody"] !== "string",
  );
  if (list.length === 0 || wrong !== -1) {
    throw new TypeError(
      `${file} is no recording: exchange ${wrong + 1} lacks a numeric "status" or a "responseBody" text`,
    );
  }
  // Every exchange has the two fields that are needed; the others may be absent.
  return { exchanges: list as RecordedExchange[] };
}
