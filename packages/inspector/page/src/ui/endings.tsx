import type { JSX } from "preact";
import { endingView, isBadEnding } from "../../../src/inspection/endings.ts";
import type { RunRow } from "../../../src/inspection/inspection.ts";

/** The ending or state of a run, or "Idle". */
export function EndingBadge({ ending }: { readonly ending: string | undefined }): JSX.Element {
  const [title, tone, means] =
    ending === undefined ? (["Idle", "note", "No active run, and no known ending."] as const) : endingView(ending);
  return (
    <span class={`state tone-${tone}`} title={means}>
      {title}
    </span>
  );
}

/** Why a run ended early, in a sentence; undefined if it finished, is active, was cut off or waits for a person. */
export function whyEnded(run: Pick<RunRow, "ending" | "limit" | "error" | "guardrail">): string | undefined {
  const { ending, limit, error, guardrail } = run;
  if (error !== undefined) return error.message;
  if (guardrail !== undefined) return `guardrail ${guardrail.name}: ${guardrail.reason}`;
  if (limit !== undefined) return `limit reached: ${limit}`;
  if (!isBadEnding(ending) || ending === "cut-off") return undefined;
  return endingView(ending)[2].replace(/\.$/, "");
}
