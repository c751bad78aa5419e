import type { JSX } from "preact";
import type { JobRow, PendingRow } from "../../../src/inspection/inspection.ts";
import { PendingAnswer } from "../acting/pending-answer.tsx";
import { useSession } from "../session/session-model.ts";
import { JsonCode } from "../ui/code.tsx";
import { formatDate } from "../ui/format.ts";

const QUESTIONS: { readonly [question in PendingRow["question"]]: string } = {
  approval: "needs approval",
  outcome: "waits for its output from outside",
  job: "waits for its job",
  "unknown-outcome": "may or may not have taken effect: someone has to look and say",
};

interface PendingCallsProps {
  readonly runId: string;
  readonly turn?: number | undefined;
}

/** Calls that wait for an answer, of one run, or of one of its turns. */
export function PendingCalls({ runId, turn }: PendingCallsProps): JSX.Element | null {
  const pending = (useSession().overview.value?.pending ?? []).filter(
    (one) => one.runId === runId && (turn === undefined || one.turn === turn),
  );
  if (pending.length === 0) return null;
  return (
    <section class="pending stack" aria-label="Waiting for an answer">
      {pending.map((one) => (
        <div key={one.callId} class="pending-call banner is-odd stack">
          <p>
            <b class="mono">{one.name}</b> {QUESTIONS[one.question]}
            <span class="mono dim"> {[...(one.path ?? []), one.callId].join(" › ")}</span>
          </p>
          {one.job !== undefined && <Job job={one.job} />}
          {one.because !== undefined && <p class="banner is-odd">{one.because}</p>}
          <JsonCode value={one.args} label={`Arguments of ${one.name}`} />
          <PendingAnswer pending={one} />
        </div>
      ))}
    </section>
  );
}

function Job({ job: { jobId, since, until, progress, reportedAt } }: { readonly job: JobRow }): JSX.Element {
  return (
    <>
      <p class="dim">
        <span class="mono">{jobId}</span>
        {since !== undefined && ` since ${formatDate(since)}`}
        {until !== undefined && `, until ${formatDate(until)} at most`}
        {reportedAt !== undefined && `, progress of ${formatDate(reportedAt)}:`}
      </p>
      {progress !== undefined && <JsonCode value={progress} label="Progress of the job" />}
    </>
  );
}
