import type { JSX } from "preact";
import type { JobRow, PendingRow } from "../../../src/inspection/inspection.ts";
import { useSession } from "../session/session-model.ts";
import { JsonCode } from "../ui/code.tsx";
import { formatDate } from "../ui/format.ts";
import type { Json } from "@pollux/core";
import { useState } from "preact/hooks";
import { ReadOnlyHint, TaskError, useAbout, Button, TextField } from "../acting/parts.tsx";
import { parseField, useAct } from "../acting/use-task.ts";

const QUESTIONS: { readonly [question in PendingRow["question"]]: string } = {
  approval: "needs approval",
  outcome: "waits for its output",
  job: "waits for its job",
  "unknown-outcome": "may have taken effect: somebody has to check",
};

interface PendingCallsProps {
  readonly runId: string;
  readonly turn?: number | undefined;
}

/** Calls of a run, or of one of its turns, that wait for an answer. */
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
        {until !== undefined && `, until ${formatDate(until)} at the latest`}
        {reportedAt !== undefined && `, progress as of ${formatDate(reportedAt)}:`}
      </p>
      {progress !== undefined && <JsonCode value={progress} label="Progress of the job" />}
    </>
  );
}

/** The form to answer a waiting call. */
function PendingAnswer({ pending }: { readonly pending: PendingRow }): JSX.Element {
  const { actions } = useAbout();
  const [task, act] = useAct();
  if (!actions.includes("answer")) return <ReadOnlyHint />;
  const { token, question } = pending;
  const [kind, Answer] = question === "approval" ? ["approvals", Approval] : ["outcomes", Outcome];
  return (
    <div class="answer stack">
      <Answer
        pending={pending}
        isBusy={task.isBusy}
        answer={(make) => act("answer", () => ({ [kind]: { [token]: make() } }))}
      />
      <TaskError task={task} />
    </div>
  );
}

interface AnswerProps {
  readonly pending: PendingRow;
  readonly isBusy: boolean;
  /** @param make - Throws for invalid input. */
  readonly answer: (make: () => Json) => void;
}

function Approval({ pending, isBusy, answer }: AnswerProps): JSX.Element {
  const given = JSON.stringify(pending.args, undefined, 2);
  const [reason, setReason] = useState("");
  const [args, setArgs] = useState<string>();
  // Comes from JSON.
  const edited = (): Json => ({ args: parseField(args ?? given, "The arguments") as Json });
  return (
    <>
      {args !== undefined && (
        <TextField
          label="New arguments"
          hint="The model learns that you changed them."
          value={args}
          onChange={setArgs}
          isCode
          rows={Math.min(12, args.split("\n").length)}
        />
      )}
      <div class="buttons wrap">
        <Button
          say={args === undefined ? "Approve" : "Approve with these arguments"}
          class="primary"
          disabled={isBusy}
          onClick={() => answer(args === undefined ? () => true : edited)}
        />
        <Button
          say={args === undefined ? "Edit arguments…" : "Discard edits"}
          onClick={() => setArgs(args === undefined ? given : undefined)}
        />
        <input
          type="text"
          aria-label={`Reason to deny ${pending.name}`}
          placeholder="Reason for the model"
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
        />
        <Button
          say="Deny"
          disabled={isBusy}
          onClick={() => answer(() => (reason.trim() === "" ? false : { deny: reason }))}
        />
      </div>
    </>
  );
}

function Outcome({ pending, isBusy, answer }: AnswerProps): JSX.Element {
  const [text, setText] = useState("");
  // Comes from JSON.
  const output = (): Json => ({ output: parseField(text, "The output") as Json });
  return (
    <>
      <TextField
        label={`Output of ${pending.name} as JSON, or why it failed`}
        value={text}
        onChange={setText}
        isCode
        placeholder={'{"status": "done"}'}
      />
      <div class="buttons wrap">
        <Button say="Send output" class="primary" disabled={isBusy} onClick={() => answer(output)} />
        <Button
          say="It failed"
          disabled={isBusy || text.trim() === ""}
          onClick={() => answer(() => ({ error: text }))}
        />
        {pending.question === "unknown-outcome" && (
          <Button
            say="Had no effect: call again"
            disabled={isBusy}
            onClick={() => answer(() => ({ notExecuted: true }))}
          />
        )}
      </div>
    </>
  );
}
