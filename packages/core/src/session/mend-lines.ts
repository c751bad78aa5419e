import { isObject } from "../internal/json.ts";
import { ENTRY_VERSION, problemOfEntry, type SessionEntry } from "./entries.ts";
import { problemOfShape } from "./entry-shape.ts";
import { describeLost, guessLine, type LogLine, type LostLine, type SessionProblem } from "./log-line.ts";

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
  const newer = newerFrom(lines);
  for (const [position, line] of lines.entries()) {
    if (position >= newer && "value" in line) continue;
    if (!("value" in line)) {
      if (line.torn === true) {
        problems.push({ position, problem: line.problem, remedy: "it is dropped; nobody was told that it was stored" });
        continue;
      }
      const guess = guessLine(position, line.text ?? "");
      lost.push(guess);
      problems.push({ position, problem: line.problem, remedy: `it is dropped; ${describeLost(guess)}` });
      continue;
    }
    const problem = problemOf(line.value);
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
          problem: `it is of a newer version than ${ENTRY_VERSION}, as is all that follows`,
          remedy: "nothing is changed; use the release that wrote it, or a later one",
        }
      : undefined;
  return { items, lost, problems: refused === undefined ? problems : [...problems, refused], refused };
}

function problemOf(value: unknown): string | undefined {
  const problem = problemOfEntry(value);
  if (problem !== undefined) return problem;
  // An object, or it would have been a problem.
  const wrong = problemOfShape(value as Record<string, unknown>);
  return wrong && `its ${wrong}`;
}

/** Where the log goes on in a newer version. One such line among others is a damaged one: no older release would have gone on. */
function newerFrom(lines: readonly LogLine[]): number {
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
