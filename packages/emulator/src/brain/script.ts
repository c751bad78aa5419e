import { type Answer, join } from "./answer.ts";
import type { Brain, BrainTurn } from "./brain.ts";

/** One line of a script: an answer, several answers to join, or a function of the request. */
export type ScriptLine =
  | Answer
  | readonly Answer[]
  | ((turn: BrainTurn) => Answer | readonly Answer[] | Promise<Answer | readonly Answer[]>);

/** Options of {@link script}. */
export interface ScriptOptions {
  /** The answer after the last line: an error (default), the last line again, the script from the start, or another brain. */
  readonly afterwards?: "fail" | "repeat-last" | "start-over" | Brain | undefined;
}

/** A brain that answers with the lines of a script, one per request, in the order of the requests. */
export interface Script extends Brain {
  /** How many lines have been used. */
  readonly said: number;
}

/**
 * Creates a brain from lines, for tests.
 *
 * By default, a request after the last line is rejected with a 400 that says so.
 *
 * @example
 * ```ts
 * const brain = script([call("get_weather", { city: "Oslo" }), say("Four degrees.")]);
 * const { fetch } = createEmulator({ brain });
 * ```
 */
export function script(lines: readonly ScriptLine[], options: ScriptOptions = {}): Script {
  let used = 0;
  let requests = 0;
  return {
    get said() {
      return used;
    },
    async answer(turn) {
      requests += 1;
      const { afterwards = "fail" } = options;
      const line =
        lines[afterwards === "start-over" ? used % lines.length : used] ??
        (afterwards === "repeat-last" ? lines.at(-1) : undefined);
      if (line === undefined) {
        if (typeof afterwards === "object") return afterwards.answer(turn);
        const answers = `${lines.length} answer${lines.length === 1 ? "" : "s"}`;
        throw new Error(`The script has ${answers}, but this is request ${requests}: ${excerpt(turn.prompt)}`);
      }
      used += 1;
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
