import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useAct } from "./use-task.ts";
import { PendingCalls } from "../turn/pending-calls.tsx";
import { AgentSelect, ReadOnlyHint, TaskError, useAbout, Button, TextField } from "./parts.tsx";
import type { SessionPanelProps } from "../session/session-model.ts";

/** All actions on a session. */
export function ActionsView({ overview }: SessionPanelProps): JSX.Element {
  const { actions, agents } = useAbout();
  const [agent, setAgent] = useState("");
  const [message, setMessage] = useState("");
  const [task, start] = useAct();
  if (actions.length === 0)
    return (
      <div class="acting stack">
        <ReadOnlyHint />
      </div>
    );
  const act = (action: string, body: { readonly [name: string]: Json }): void =>
    start(
      action,
      () => ({ ...body, ...(agent !== "" && { agent }) }),
      () => {
        if (action === "send" || action === "steer") setMessage("");
      },
    );
  const { state, pending, runs } = overview;
  const isRunning = state === "running";
  const canResume = state === "stopped" || state === "cut-off";
  const isEmpty = message.trim() === "";
  return (
    <div class="acting stack">
      {pending.length > 0 && <PendingCalls runId={runs.at(-1)?.runId ?? ""} />}
      {agents.length > 1 && <AgentSelect value={agent} onChange={setAgent} none="The session's own" />}
      {agents.length === 0 && (
        <p class="banner is-odd">
          Without an agent, the inspector can't start or resume runs: start it with <code>--agent FILE.ts</code>. You
          can still stop and steer a run, and record answers.
        </p>
      )}
      <TextField label="Message" value={message} onChange={setMessage} placeholder="Type a message" />
      <div class="buttons wrap">
        <Button
          say="Send"
          class="primary"
          disabled={task.isBusy || isEmpty || isRunning || agents.length === 0}
          onClick={() => act("send", { message })}
        />
        <Button
          say={isRunning ? "Steer run" : "Add to next run"}
          disabled={task.isBusy || isEmpty}
          onClick={() => act("steer", { message })}
        />
        <Button say="Stop run" disabled={task.isBusy || !isRunning} onClick={() => act("stop", {})} />
        <Button
          say="Resume run"
          disabled={task.isBusy || !canResume || agents.length === 0}
          onClick={() => act("resume", {})}
        />
      </div>
      <TaskError task={task} />
    </div>
  );
}
