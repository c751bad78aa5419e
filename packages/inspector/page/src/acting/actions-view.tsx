import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ActionResult } from "../../../src/inspection/results.ts";
import { useInspector } from "../app/inspector.ts";
import type { SessionPanelProps } from "../session/panel-props.ts";
import { PendingCalls } from "../turn/pending-calls.tsx";
import { Field, ReadOnlyHint, TaskError, TextArea, useAbout } from "./parts.tsx";
import { useTask } from "./use-task.ts";

/** All that can be done with a session. */
export function ActionsView({ session, overview }: SessionPanelProps): JSX.Element {
  const inspector = useInspector();
  const { actions, agents } = useAbout();
  const [agent, setAgent] = useState("");
  const [message, setMessage] = useState("");
  const task = useTask<void>();
  if (actions.length === 0)
    return (
      <div class="acting">
        <ReadOnlyHint />
      </div>
    );
  const act = (action: string, body: { readonly [name: string]: Json }): void =>
    task.start(async () => {
      const chosen = agent === "" ? body : { ...body, agent };
      const result = await session.source.act(session.id, action, chosen);
      // The server is of the same release as the page.
      inspector.say((result as unknown as ActionResult).done);
      if (action === "send" || action === "steer") setMessage("");
      await session.refresh();
    });
  const { state, pending, runs } = overview;
  const runId = runs.at(-1)?.runId ?? "";
  const isRunning = state === "running";
  const canResume = state === "stopped" || state === "cut-off";
  const isEmpty = message.trim() === "";
  return (
    <div class="acting">
      {pending.length > 0 && <PendingCalls session={session} runId={runId} />}
      {agents.length > 1 && (
        <Field label="Agent">
          <select value={agent} onChange={({ currentTarget }) => setAgent(currentTarget.value)}>
            <option value="">The session's own</option>
            {agents.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
      )}
      {agents.length === 0 && (
        <p class="banner is-odd">
          No agent is open, so no run can begin or go on here. Start with <code>--agent FILE.ts</code>. Stopping,
          steering and recording answers work all the same.
        </p>
      )}
      <Field label="Message">
        <TextArea value={message} onChange={setMessage} placeholder="What to say to the session" />
      </Field>
      <div class="buttons">
        <button
          type="button"
          class="primary"
          disabled={task.isBusy || isEmpty || isRunning || agents.length === 0}
          onClick={() => act("send", { message })}
        >
          Send
        </button>
        <button type="button" disabled={task.isBusy || isEmpty} onClick={() => act("steer", { message })}>
          {isRunning ? "Steer the run" : "Say with the next run"}
        </button>
        <button type="button" disabled={task.isBusy || !isRunning} onClick={() => act("stop", {})}>
          Stop the run
        </button>
        <button
          type="button"
          disabled={task.isBusy || !canResume || agents.length === 0}
          onClick={() => act("resume", {})}
        >
          Resume the run
        </button>
      </div>
      <TaskError task={task} />
    </div>
  );
}
