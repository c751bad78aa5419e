import type { JSX } from "preact";
import { endingView, isBadEnding } from "../../../src/inspection/endings.ts";
import type { RunRow } from "../../../src/inspection/inspection.ts";

/** How a run ended, or how it stands; nothing for a session without one. */
export function EndingBadge({ ending }: { readonly ending: string | undefined }): JSX.Element {
  const [title, tone, means] =
    ending === undefined
      ? (["Idle", "note", "No run goes on, and nothing is known of one that has ended."] as const)
      : endingView(ending);
  return (
    <span class={`state tone-${tone}`} title={means}>
      {title}
    </span>
  );
}

/** Why a run ended, in a sentence; undefined when it reached its end, goes on, or waits for a person. */
export function whyEnded(run: Pick<RunRow, "ending" | "limit" | "error" | "guardrail">): string | undefined {
  const { ending, limit, error, guardrail } = run;
  if (error !== undefined) return error.message;
  if (guardrail !== undefined) return guardrail.reason;
  if (limit !== undefined) return `limit reached: ${limit}`;
  if (!isBadEnding(ending) || ending === "cut-off") return undefined;
  return endingView(ending)[2].replace(/\.$/, "");
}
