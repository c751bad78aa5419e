import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ShownCase } from "../../../src/evals/make-case.ts";
import { quoted } from "../../../src/take-away/curl.ts";
import { Field, TaskError, useAbout } from "../acting/parts.tsx";
import { useTask } from "../acting/use-task.ts";
import type { SessionPanelProps } from "../session/panel-props.ts";
import { Code } from "../ui/code.tsx";
import { formatPlural } from "../ui/format.ts";

/** Runs that can be chosen, from the last one back, and changes that are listed. */
const [MAX_CHOICES, MAX_LISTED] = [500, 200];

/** Makes a case of evals of a run. */
export function CaseView({ session, overview: { runs } }: SessionPanelProps): JSX.Element {
  const [runId, setRunId] = useState(runs.at(-1)?.runId ?? "");
  const [suite, setSuite] = useState("");
  const task = useTask<ShownCase>();
  if (!useAbout().actions.includes("make-case"))
    return (
      <div class="acting">
        <p>
          Makes a case of evals of this session: what your suite scrubs is taken out, and it has to replay the same. It
          is made here with <code>--allow-actions</code>, or by this command:
        </p>
        <Code text={`pollux eval add ${quoted(session.id)}`} label="command" />
      </div>
    );
  const ask = (draft?: string): void =>
    task.start(async () => {
      const body = { runId, suite, ...(draft !== undefined && { draft }) };
      // The server is of the same release as the page.
      return (await session.source.act(session.id, "make-case", body)) as unknown as ShownCase;
    });
  const { value, isBusy } = task;
  return (
    <div class="acting">
      <div class="form-row">
        <Field label="Run">
          <select value={runId} onChange={({ currentTarget }) => setRunId(currentTarget.value)}>
            {runs.slice(-MAX_CHOICES).map((run) => (
              <option key={run.runId} value={run.runId}>
                {run.input.slice(0, 80)}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Suite, if there are several">
          <input type="text" value={suite} onInput={({ currentTarget }) => setSuite(currentTarget.value)} />
        </Field>
        <button type="button" class="primary" disabled={isBusy} onClick={() => ask()}>
          Show the case
        </button>
      </div>
      <TaskError task={task} />
      {value !== undefined && (
        <section class="result" aria-label="The case" aria-live="polite">
          <p class={`banner ${value.problem === undefined ? "is-ok" : "is-error"}`}>
            {value.problem ??
              `${value.isWritten ? "Written to" : "It replays the same, and can be written to"} ${value.folder}.`}
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
            <button type="button" disabled={isBusy} onClick={() => ask(value.draft)}>
              Write the case
            </button>
          )}
        </section>
      )}
    </div>
  );
}
