import type { ModelFacts } from "../catalog/model-facts.ts";
import { type Problem, problem } from "../validate/problem.ts";
import { DIMENSIONS } from "./embed.ts";

const CHARACTERS_PER_TOKEN = 4;

/** The first generation: text only, no usage outside Vertex, not normalized when reduced. */
export function isFirst({ id }: ModelFacts): boolean {
  return id === "gemini-embedding-001";
}

/** The problem with a dimension out of range; undefined for a valid one. */
export function dimensionProblem(dimensions: number, path: string): Problem | undefined {
  if (Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= DIMENSIONS) return undefined;
  return problem("X-1", `* ${path}: must be from 1 to ${DIMENSIONS}`);
}

/** The problem with an input that is too long, if the caller turned truncation off. */
export function tokensProblem(tokens: number, { inputTokenLimit }: ModelFacts): Problem {
  const message =
    `Unable to submit request because the input token count is ${tokens} but the model supports up to ${inputTokenLimit}. ` +
    "Reduce the input token count and try again.";
  return problem("X-1", message);
}

/** The part of a text that the model reads, without the task prefixes of the second generation. */
export function readable(text: string, { inputTokenLimit }: ModelFacts): string {
  return text
    .slice(0, inputTokenLimit * CHARACTERS_PER_TOKEN)
    .replace(/^\s*task: [\w ]+ \| query: /, "")
    .replace(/^\s*title: (.*?) \| text: /, (_, title: string) => (title === "none" ? "" : `${title}\n`));
}
