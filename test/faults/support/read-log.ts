/** Idempotency keys of the calls whose outcome is in a log. */
export function recordedCalls(log: readonly unknown[]): ReadonlySet<string> {
  // What a session wrote.
  const entries = log as readonly { readonly type: string; readonly runId?: string; readonly step?: string }[];
  return new Set(
    entries.flatMap(({ type, runId, step }) =>
      type === "step" && step?.startsWith("call:") === true ? [`${runId}/${step.replace(/\/again$/, "")}`] : [],
    ),
  );
}
