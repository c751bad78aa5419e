import { type Answer, join } from "./answer.ts";
import type { Brain, BrainTurn } from "./brain.ts";

/** One line of a script: an answer, several joined, or a function that looks at the request first. */
export type ScriptLine =
  | Answer
  | readonly Answer[]
  | ((turn: BrainTurn) => Answer | readonly Answer[] | Promise<Answer | readonly Answer[]>);

/** How a script ends. */
export interface ScriptOptions {
  /** What answers when the lines are used up: an error (default), the last line again, the script from the start, or another brain. */
  readonly afterwards?: "fail" | "repeat-last" | "start-over" | Brain | undefined;
}

/** A brain that says these lines, one per request, in the order the requests arrive. */
export interface Script extends Brain {
  /** How many lines have been said. */
  readonly said: number;
}

/**
 * Writes a brain line by line, for tests.
 *
 * A request that arrives after the last line is refused with a 400 that says so, unless `afterwards` names something else.
 */
export function script(lines: readonly ScriptLine[], options: ScriptOptions = {}): Script {
  let said = 0;
  return {
    get said() {
      return said;
    },
    async answer(turn) {
      const { afterwards = "fail" } = options;
      const line =
        lines[afterwards === "start-over" ? said % lines.length : said] ??
        (afterwards === "repeat-last" ? lines.at(-1) : undefined);
      if (line === undefined) {
        if (typeof afterwards === "object") return afterwards.answer(turn);
        throw new Error(
          `The script has ${lines.length} answers and this is request ${turn.number}: ${excerpt(turn.prompt)}`,
        );
      }
      said += 1;
      const answer = typeof line === "function" ? await line(turn) : line;
      return isList(answer) ? join(...answer) : answer;
    },
  };
}

function isList(answer: Answer | readonly Answer[]): answer is readonly Answer[] {
  return Array.isArray(answer);
}

function excerpt(prompt: string): string {
  return JSON.stringify(prompt.length > 80 ? `${prompt.slice(0, 80)}…` : prompt);
}
