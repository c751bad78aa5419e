import type { EndEntry } from "./entries.ts";

/** True for a run that can go on: with an answer, a higher limit, or simply once more. */
export function isResumable({ stopReason }: Pick<EndEntry, "stopReason">): boolean {
  return ["failed", "aborted", "limit", "needs-approval", "needs-outcome"].includes(stopReason);
}
