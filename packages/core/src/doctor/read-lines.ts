import { parseStepName } from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import { ENTRY_VERSION, checkEntryHeader, type SessionEntry } from "../session/entries.ts";
import { checkEntry } from "./entry-shape.ts";

/** An entry and where it stands in the log. */
export interface Item<Entry extends SessionEntry = SessionEntry> {
  readonly position: number;
  readonly entry: Entry;
}

/** The lines of a log that can be read, and those that cannot. */
export interface ReadLines {
  readonly items: readonly Item[];
  readonly lost: readonly LostLine[];
  readonly problems: readonly SessionProblem[];
  /** Why nothing may be changed: the log goes on in a newer release's words. */
  readonly refused: SessionProblem | undefined;
}

/** Sorts a log's lines by whether each is an entry this release can read. */
export function readLines(lines: readonly LogLine[]): ReadLines {
  const items: Item[] = [];
  const lost: LostLine[] = [];
  const problems: SessionProblem[] = [];
  const newer = findNewer(lines);
  for (const [position, line] of lines.entries()) {
    if (position >= newer && "value" in line) continue;
    if (!("value" in line)) {
      if (line.torn === true) {
        problems.push({ position, problem: line.problem, remedy: "it is dropped; its write was never confirmed" });
        continue;
      }
      const guess = guessLine(position, line.text ?? "");
      lost.push(guess);
      problems.push({ position, problem: line.problem, remedy: `it is dropped; ${describeLost(guess)}` });
      continue;
    }
    const problem = findProblem(line.value);
    if (problem === undefined) {
      // Its shape was checked.
      items.push({ position, entry: line.value as SessionEntry });
      continue;
    }
    const guess = guessLine(position, JSON.stringify(line.value) ?? "");
    lost.push(guess);
    problems.push({ position, problem, remedy: `it is dropped; ${describeLost(guess)}` });
  }
  const refused: SessionProblem | undefined =
    newer < lines.length
      ? {
          position: newer,
          problem: `it and everything after it are newer than version ${ENTRY_VERSION}`,
          remedy: "nothing is changed; use the release that wrote it or a newer one",
        }
      : undefined;
  return { items, lost, problems: refused === undefined ? problems : [...problems, refused], refused };
}

function findProblem(value: unknown): string | undefined {
  const problem = checkEntryHeader(value);
  if (problem !== undefined) return problem;
  // An object, or it would have been a problem.
  const wrong = checkEntry(value as Record<string, unknown>);
  return wrong && `its ${wrong}`;
}

/** Where the log goes on in a newer version. One such line among others is a damaged one: no older release would have gone on. */
function findNewer(lines: readonly LogLine[]): number {
  let from = lines.length;
  for (let position = lines.length - 1; position >= 0; position--) {
    const line = lines[position];
    const version = line !== undefined && "value" in line && isObject(line.value) ? line.value["v"] : undefined;
    if (version === undefined) continue;
    if (typeof version !== "number" || version <= ENTRY_VERSION) break;
    from = position;
  }
  return from;
}

/** One line of a session's log as it was read, before anything is known of it. */
export type LogLine =
  /** Parsed JSON, whatever it says. */
  | { readonly value: unknown }
  /** It could not be read. */
  | {
      /** Why, as the end of a sentence: `it is not JSON (...)`. */
      readonly problem: string;
      /** What is there, as text, if anything: some of it may still tell what the line was. */
      readonly text?: string | undefined;
      /** It was cut off while it was written, so nobody relies on it. Only at the end of a log. */
      readonly torn?: true | undefined;
    };

/** Something about a session's log that is not as it should be. */
export interface SessionProblem {
  /** Index of the entry in the log, from 0. */
  readonly position: number;
  /** What is wrong, as a sentence without its period. */
  readonly problem: string;
  /** What a repair makes of it, and what is lost by that; for a problem it cannot repair, what else can be done. */
  readonly remedy: string;
}

/** A line that cannot be kept. What is known of it may be wrong. */
export interface LostLine {
  readonly position: number;
  readonly type?: string | undefined;
  readonly runId?: string | undefined;
  readonly step?: string | undefined;
}

/** What can be told of a line from its text, or from a value that is no entry. */
export function guessLine(position: number, text: string): LostLine {
  const word = (key: string): string | undefined =>
    new RegExp(`"${key}":"([^"\\\\]{1,200})"`).exec(text.slice(0, 600))?.[1];
  return { position, type: word("type"), runId: word("runId"), step: word("step") };
}

/** What was in a lost line, for a person. */
export function describeLost({ type, step }: LostLine): string {
  switch (type) {
    case "history":
      return "the contents the session began with are lost";
    case "run":
      return "a message is lost, with all that followed from it";
    case "begin":
      return `the record that ${step ?? "a step"} started is lost`;
    case "step":
      return describeLostStep(step);
    case "answer":
      return `an external answer (${step ?? "to a call"}) is lost`;
    case "resume":
      return "the record that the run was resumed is lost";
    case "steer":
      return "a steering message is lost";
    case "end":
      return "the end of its run is lost";
    default:
      return "what it held is unknown";
  }
}

function describeLostStep(step: string | undefined): string {
  switch (parseStepName(step ?? "").kind) {
    case "model":
      return `what the model said (${step}) is lost`;
    case "call":
    case "wait":
    case "hook":
      return `the result of ${step} is lost`;
    default:
      return `the outcome of ${step ?? "a step"} is lost`;
  }
}
