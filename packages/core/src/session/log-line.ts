import { parseStepName } from "../durable/run-log.ts";
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
      return `the note that ${step ?? "a step"} was begun is lost`;
    case "step":
      return describeLostStep(step);
    case "answer":
      return `an answer from outside (${step ?? "to a call"}) is lost`;
    case "resume":
      return "the note that the run was resumed is lost";
    case "steer":
      return "something said to the session is lost";
    case "end":
      return "the end of its run is lost";
    default:
      return "nothing tells what it held";
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
