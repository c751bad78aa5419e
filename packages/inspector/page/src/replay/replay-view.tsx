import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ReplayResult } from "../../../src/inspection/results.ts";
import { AgentSelect, Notes, TaskError, useAbout, Button, RunSelect } from "../acting/parts.tsx";
import { useTask } from "../acting/use-task.ts";
import { formatRoute } from "../app/route.ts";
import { WasAndIs } from "../ui/notes.tsx";
import type { SessionPanelProps } from "../session/session-model.ts";

/** Replays a run and shows the first difference. */
export function ReplayView({ session, overview }: SessionPanelProps): JSX.Element {
  const { runs } = overview;
  const [runId, setRunId] = useState(runs.at(-1)?.runId ?? "");
  const { agents } = useAbout();
  const [chosen, setAgent] = useState<string>();
  const agent = chosen ?? (agents.length === 1 ? (agents[0] ?? "") : "");
  const task = useTask<ReplayResult>();
  const replay = (): void => task.start(() => session.source.view(session.id, "replay", { run: runId, agent }));
  return (
    <div class="acting stack">
      <p>
        Repeats a run from its log, without requests, tool calls or writes. Shows where an agent that has changed since
        would act differently. To change the prompt or a result and run it again,{" "}
        <a href={formatRoute({ kind: "session", id: session.id, tab: "fork" })}>fork the session</a>.
      </p>
      <div class="form-row wrap">
        <RunSelect runs={runs} value={runId} onChange={setRunId} />
        <AgentSelect value={agent} onChange={setAgent} none="Rebuilt from the log" />
        <Button say="Replay" class="primary" disabled={task.isBusy || runs.length === 0} onClick={replay} />
      </div>
      <TaskError task={task} />
      {task.value !== undefined && <Result id={session.id} result={task.value} />}
    </div>
  );
}

function Result({ id, result }: { readonly id: string; readonly result: ReplayResult }): JSX.Element {
  const { isSame, differences, request, stopReason, turns, text, notes } = result;
  return (
    <section class="result stack" aria-label="Result of the replay" aria-live="polite">
      <p class={`banner ${isSame ? "is-ok" : "is-error"}`}>
        {isSame ? "The run is the same." : "The run is different now."}
      </p>
      {differences.length > 0 && (
        <ol class="list">
          {differences.map((difference) => (
            <li key={difference}>{difference}</li>
          ))}
        </ol>
      )}
      {request !== undefined && (
        <div class="break banner is-odd stack">
          <h3>
            A request differs at <code>{request.field}</code>
          </h3>
          <WasAndIs
            title={<a href={formatRoute({ kind: "session", id, tab: "wire", item: request.n })}>Sent</a>}
            {...request}
          />
        </div>
      )}
      <p class="dim">
        {turns === 1 ? "1 turn" : `${turns} turns`}
        {stopReason !== undefined && `, ended with "${stopReason}"`}
      </p>
      {text !== "" && <p class="said">{text}</p>}
      <Notes notes={notes} />
    </section>
  );
}
