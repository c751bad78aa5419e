import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ShownCase } from "../../../src/evals/make-case.ts";
import { quoted } from "../../../src/take-away/curl.ts";
import { InputField, TaskError, useAbout, Button, RunSelect } from "../acting/parts.tsx";
import { useTask } from "../acting/use-task.ts";
import { Code } from "../ui/code.tsx";
import { formatPlural } from "../ui/format.ts";
import type { SessionPanelProps } from "../session/session-model.ts";

/** Most changes to list. */
const MAX_LISTED = 200;

/** Turns a run into a case of evals. */
export function CaseView({ session, overview: { runs } }: SessionPanelProps): JSX.Element {
  const [runId, setRunId] = useState(runs.at(-1)?.runId ?? "");
  const [suite, setSuite] = useState("");
  const task = useTask<ShownCase>();
  if (!useAbout().actions.includes("make-case"))
    return (
      <div class="acting stack">
        <p>
          Turns this session into a case of evals: your suite scrubs it, and its replay must stay the same. Start the
          inspector with <code>--allow-actions</code> to do it here, or run this command:
        </p>
        <Code text={`pollux eval add ${quoted(session.id)}`} label="command" />
      </div>
    );
  const ask = (draft?: string): void =>
    task.start(() => session.source.act(session.id, "make-case", { runId, suite, draft }));
  const { value, isBusy } = task;
  return (
    <div class="acting stack">
      <div class="form-row wrap">
        <RunSelect runs={runs} value={runId} onChange={setRunId} />
        <InputField label="Suite, if there are several" value={suite} onChange={setSuite} />
        <Button say="Show case" class="primary" disabled={isBusy} onClick={() => ask()} />
      </div>
      <TaskError task={task} />
      {value !== undefined && (
        <section class="result stack" aria-label="The case" aria-live="polite">
          <p class={`banner ${value.problem === undefined ? "is-ok" : "is-error"}`}>
            {value.problem ??
              `${value.isWritten ? "Written to" : "The replay is the same. Ready to write to"} ${value.folder}.`}
          </p>
          <p>{formatPlural(value.differences.length, "text")} changed.</p>
          {value.differences.slice(0, MAX_LISTED).map(({ where, was, is }) => (
            <div key={where}>
              <code>{where}</code>
              <p class="said is-message">{was}</p>
              <p class="said is-message">{is}</p>
            </div>
          ))}
          {value.problem === undefined && !value.isWritten && (
            <Button say="Write case" disabled={isBusy} onClick={() => ask(value.draft)} />
          )}
        </section>
      )}
    </div>
  );
}
