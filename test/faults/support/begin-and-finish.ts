import type { AgentProcess } from "./processes.ts";
import { openProcess } from "./processes.ts";
import { LONG } from "./errand.ts";
import type { Report, Work } from "./process-messages.ts";
import { problemsOfReport, problemsOfSession } from "./stored-session.ts";

/** Starts an errand in a process. @returns Its final message, and how many entries the store acknowledged. */
export async function begin(
  child: AgentProcess,
  work: Work & { readonly runId?: string | undefined },
): Promise<readonly [Report | undefined, number]> {
  let acknowledged = 0;
  const report = await child.order({ do: "begin", ...work }, (one) => {
    if (one.is === "acknowledged") acknowledged = one.length;
  });
  return [report, acknowledged];
}

/** Lets another process finish an errand. @returns The problems. */
export async function finish(work: Work): Promise<readonly string[]> {
  const child = openProcess();
  try {
    return [
      ...problemsOfReport(await child.order({ do: "finish", ...work })),
      ...(await problemsOfSession(LONG, work)),
    ];
  } finally {
    await child.kill();
  }
}
