import type { JSX } from "preact";
import { type Ending, isBadEnding } from "../../../src/inspection/endings.ts";
import type { RunRow } from "../../../src/inspection/inspection.ts";

/** What a person calls an ending, and what it means. */
export interface EndingView {
  readonly title: string;
  readonly means: string;
}

/** In the order in which a list offers them. */
export const ENDINGS: { readonly [ending in Ending]: EndingView } = {
  running: { title: "Running", means: "A run is going." },
  waiting: { title: "Waiting", means: "Calls wait for an answer or a job." },
  "cut-off": { title: "Cut off", means: "The process of the run has died." },
  finished: { title: "Done", means: "The model gave an answer, and nothing is left to do." },
  stopped: { title: "Done", means: "A stop rule of the agent ended the run." },
  failed: { title: "Failed", means: "An error ended the run." },
  aborted: { title: "Aborted", means: "The run was stopped." },
  limit: { title: "Limit", means: "The run reached one of its limits." },
  guardrail: { title: "Guardrail", means: "A guardrail stopped the run." },
  blocked: { title: "Blocked", means: "The service blocked the answer." },
  truncated: { title: "Truncated", means: "The answer hit the output token limit." },
  "repeated-calls": { title: "Repeated", means: "The model repeated the same calls and got the same results." },
  empty: { title: "Empty", means: "The answer was empty, after all retries." },
  "bad-call": { title: "Bad call", means: "The model's calls could not be read, after all retries." },
  "invalid-output": { title: "Invalid", means: "The output does not match its schema, after all retries." },
  "unknown-finish": { title: "Unknown", means: "The model stopped for a reason this version does not know." },
  damaged: { title: "Damaged", means: "Entries of the run are lost, so it cannot be resumed." },
  "needs-approval": { title: "Asked", means: "The run ended with calls that needed an approval." },
  "needs-outcome": { title: "Asked", means: "The run ended with calls that needed an outcome." },
};

/** Also of an ending that this page does not know. */
export function endingView(ending: string): EndingView {
  return Object.hasOwn(ENDINGS, ending)
    ? ENDINGS[ending as Ending]
    : { title: ending, means: `The run ended with ${ending}.` };
}

/** How a run ended, or how it stands; nothing for a session without one. */
export function EndingBadge({ ending }: { readonly ending: string | undefined }): JSX.Element {
  const { title, means } =
    ending === undefined
      ? { title: "Idle", means: "No run goes on, and nothing is known of one that has ended." }
      : endingView(ending);
  const tone =
    ending === undefined || ending === "running"
      ? "running"
      : isBadEnding(ending)
        ? "stopped"
        : ending === "finished" || ending === "stopped"
          ? "done"
          : "waiting";
  return (
    <span class={`state state-${tone}`} title={means}>
      {title}
    </span>
  );
}

/** Why a run ended, in a sentence; undefined when it reached its end, goes on, or waits for a person. */
export function whyEnded({
  ending,
  limit,
  error,
  guardrail,
}: Pick<RunRow, "ending" | "limit" | "error" | "guardrail">): string | undefined {
  if (error !== undefined) return error.message;
  if (guardrail !== undefined) return guardrail.reason;
  if (limit !== undefined) return `limit reached: ${limit}`;
  if (!isBadEnding(ending) || ending === "cut-off") return undefined;
  return endingView(ending).means.replace(/\.$/, "");
}
