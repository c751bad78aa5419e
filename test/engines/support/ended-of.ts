import type { RunReport } from "@pollux/core/durable";
import type { Ended } from "./engine-place.ts";

/** A report in the form that these tests compare. */
export function endedOf(report: RunReport): Ended {
  if (report.status === "cancelled") return { status: "cancelled" };
  if (report.status === "failed") return { status: "failed", error: report.error };
  const { stopReason, text } = report.result;
  return { status: "ended", stopReason, text };
}
