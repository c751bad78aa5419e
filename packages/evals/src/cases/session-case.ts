import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json } from "@pollux/core";
import type { Recording } from "@pollux/core/rehearsal";
import type { SessionCase } from "./eval-case.ts";
import { readJsonLines } from "./json-lines.ts";

/** Contents of `case.json` for a recorded case. */
export interface SessionCaseFile {
  readonly v: 1;
  /** The run that is made again. */
  readonly runId: string;
  readonly turn?: number | undefined;
  readonly turns?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: { readonly [name: string]: Json } | undefined;
  /** When the run began, in milliseconds since the epoch. */
  readonly recordedAt: number;
  /** Name of the agent that made it. */
  readonly agent: string;
  /** The suite's `scrub` has been applied to it. */
  readonly scrubbed: true;
}

/** What a suite says about a recorded case; each option has priority over the case's file. */
export interface SessionCaseOptions<Expected = unknown> extends Partial<
  Omit<SessionCase<Expected>, "recording" | "runId">
> {}

/**
 * A recorded session as a case: a folder with `log.jsonl`, `exchanges.jsonl` and `case.json`, written by `pollux eval add`.
 *
 * @param folder - Use a URL, such as `new URL("cases/order-9", import.meta.url)`, to find it next to the suite,
 * wherever you run it from; a relative path begins at the working directory. The last name in it is the case's `id`,
 * unless the options have one.
 * @throws {TypeError} Naming the file that is missing or not as it was written.
 */
export function sessionCase<Expected = unknown>(
  folder: string | URL,
  options: SessionCaseOptions<Expected> = {},
): SessionCase<Expected> {
  const path = resolve(typeof folder === "string" ? folder : fileURLToPath(folder));
  const { runId, turn, turns, tags, metadata } = readCaseFile(path);
  const log = readLines(path, "log.jsonl");
  if (!log.some((entry) => fieldsOf(entry)["type"] === "run" && fieldsOf(entry)["runId"] === runId))
    throw caseError(path, "log.jsonl", `it has no run ${runId}, which case.json names`);
  const exchanges = existsSync(join(path, "exchanges.jsonl")) ? readLines(path, "exchanges.jsonl") : [];
  const own = { id: basename(path), turn, turns, tags, metadata };
  const given = Object.entries({ ...own, ...options }).filter(([, value]) => value !== undefined);
  // A case needs no members besides these two and its id.
  return { ...Object.fromEntries(given), recording: { log, exchanges }, runId } as unknown as SessionCase<Expected>;
}

function readCaseFile(path: string): SessionCaseFile {
  const value = reading(path, "case.json", (file) => JSON.parse(readFileSync(file, "utf8")) as unknown);
  const { v, runId, turn, turns, tags, metadata, scrubbed } = fieldsOf(value);
  const problem =
    v !== 1
      ? `its v is ${JSON.stringify(v)}; this release reads version 1`
      : typeof runId !== "string"
        ? "its runId is missing"
        : scrubbed !== true
          ? "it does not say scrubbed: true, so it may still contain what must not be kept"
          : [turn, turns].some((one) => one !== undefined && !(Number.isSafeInteger(one) && Number(one) > 0))
            ? "its turn and turns must be integers from 1"
            : tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === "string"))
              ? "its tags must be a list of texts"
              : metadata !== undefined && !isFields(metadata)
                ? "its metadata must be an object"
                : undefined;
  if (problem !== undefined) throw caseError(path, "case.json", problem);
  // As just checked.
  return value as SessionCaseFile;
}

function readLines(path: string, name: string): readonly Json[] {
  return reading(path, name, readJsonLines).map(({ value }) => value);
}

function reading<T>(path: string, name: string, read: (file: string) => T): T {
  try {
    return read(join(path, name));
  } catch (error) {
    throw caseError(path, name, error instanceof Error ? error.message : String(error));
  }
}

function caseError(path: string, name: string, problem: string): TypeError {
  return new TypeError(
    `${join(path, name)} cannot be read as a recorded case: ${problem}. Make the case again with "pollux eval add", or take it out of the suite.`,
  );
}

export type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members of a JSON object; none of anything else. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** A file of a recorded case. */
export interface CaseText {
  readonly name: string;
  readonly text: string;
}

/** The files of a recorded case, as `sessionCase()` reads them. */
export function sessionCaseFiles(recording: Recording, about: SessionCaseFile): readonly CaseText[] {
  const lines = (entries: readonly Json[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  return [
    { name: "log.jsonl", text: lines(recording.log) },
    { name: "exchanges.jsonl", text: lines(recording.exchanges) },
    { name: "case.json", text: `${JSON.stringify(about, null, 2)}\n` },
  ];
}

/**
 * Writes a recorded case into its own folder.
 *
 * @throws {TypeError} When the folder has a case already.
 */
export function writeSessionCase(folder: string | URL, files: readonly CaseText[]): void {
  const path = resolve(typeof folder === "string" ? folder : fileURLToPath(folder));
  if (existsSync(join(path, "case.json")))
    throw new TypeError(`${path} is a case already: give this one another id, or remove the folder first.`);
  mkdirSync(path, { recursive: true });
  // The file that makes it a case comes last.
  for (const { name, text } of files) writeFileSync(join(path, name), text);
}
