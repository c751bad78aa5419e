import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFields } from "../internal/json.ts";

/** One recorded request and its answer: the fields of a `RecordedExchange` needed to replay it. */
export interface ReplayExchange {
  readonly method?: string | undefined;
  /** Path and query, such as `/v1beta/models/gemini-3.8-flash:generateContent`. */
  readonly path?: string | null | undefined;
  readonly model?: string | null | undefined;
  /** The parsed body; null or absent if only the answer was recorded. */
  readonly request?: unknown;
  /** For a body that is not JSON: the SHA-256 of its bytes, in hex. */
  readonly requestBody?: { readonly sha256: string } | undefined;
  /** 0 if there was no answer. */
  readonly status: number;
  readonly responseHeaders?: Readonly<Record<string, string>> | null | undefined;
  /** The body as text, or as base64 if {@link ReplayExchange.responseEncoding} says so. */
  readonly responseBody: string;
  readonly responseEncoding?: "base64" | undefined;
  /** Why a body is missing, or how it was changed. */
  readonly responseNote?: string | undefined;
  /** Set if the body is incomplete: its reader left, or the connection broke. */
  readonly ended?: "cancelled" | "failed" | undefined;
  /** Position among all requests of its file, in order of sending. Default: the position in the list. */
  readonly position?: number | undefined;
  /** File it was read from. */
  readonly file?: string | undefined;
}

/** Recorded traffic, in order. */
export interface Recording {
  readonly exchanges: readonly ReplayExchange[];
}

/**
 * Reads a recording: a JSON file, or a folder of such files, including subfolders, ordered by name.
 *
 * @throws TypeError if a file contains no exchanges, or a folder no files.
 */
export async function loadRecording(path: string): Promise<Recording> {
  const isFolder = (await stat(path)).isDirectory();
  const names = isFolder ? await readdir(path, { recursive: true }) : [];
  const files = names.filter((name) => name.endsWith(".json")).toSorted();
  if (isFolder && files.length === 0)
    throw new TypeError(`${path} contains no recording: there is no .json file in it`);
  const recordings = await Promise.all(
    isFolder ? files.map((name) => readFrom(join(path, name), name)) : [readFrom(path, path)],
  );
  return { exchanges: recordings.flat() };
}

async function readFrom(path: string, file: string): Promise<readonly ReplayExchange[]> {
  const parsed = parse(await readFile(path, "utf8"), path);
  const exchanges = isFields(parsed) ? (parsed["exchanges"] ?? null) : parsed;
  const others = isFields(parsed) ? parsed["others"] : undefined;
  const list: unknown[] = [...listOf(exchanges), ...(others === undefined ? [] : listOf(others))];
  const wrong = list.findIndex(
    (item) => !isFields(item) || typeof item["status"] !== "number" || typeof item["responseBody"] !== "string",
  );
  if (wrong !== -1) {
    throw new TypeError(
      `${path} is not a recording: exchange ${wrong + 1} lacks a numeric "status" or a "responseBody" text`,
    );
  }
  // Every exchange has the two required fields; the others may be absent.
  const found = (list as ReplayExchange[]).map((exchange) => ({ ...exchange, file }));
  return found.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
}

function parse(source: string, path: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    throw new TypeError(`${path} is not a recording: it is not JSON`, { cause: error });
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
