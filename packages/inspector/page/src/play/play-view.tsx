import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlayAgent, Playground, PlayRequest } from "../../../src/play/play.ts";
import { Field, InputField, SelectField, TaskError, TextArea } from "../acting/parts.tsx";
import { parseField, useTask } from "../acting/use-task.ts";
import { useInspector } from "../app/inspector.ts";
import { useLoad } from "../app/use-load.ts";
import type { PlayRoute } from "../app/route.ts";
import { Code, JsonCode } from "../ui/code.tsx";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { AgentForm } from "./agent-form.tsx";
import { changesIn, codeOf, formOf } from "./changes-code.ts";
import { PlayedSession } from "./played-session.tsx";
import { ToolBox } from "./tool-trial.tsx";

/** Where agents are played with. */
export function PlayView({ route }: { readonly route: PlayRoute }): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [version, setVersion] = useState(0);
  const task = useTask<void>();
  const { value, error } = useLoad(["play", version], () => source.play(), "play");
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <Loading />;
  const { agents, answers, canReload } = value;
  const agent = agents.find(({ name }) => name === route.agent) ?? agents[0];
  if (agent === undefined)
    return (
      <Empty title="No agents are open">
        <p>Name a file that exports some:</p>
        <pre>pollux studio agent.ts</pre>
      </Empty>
    );
  const reload = (): void =>
    task.start(async () => {
      await source.playWith("reload", {});
      setVersion(version + 1);
      inspector.say("The agents were read again.");
    });
  return (
    <div class="acting stack play">
      <p class={`banner ${answers === "service" ? "is-odd" : "is-ok"}`}>
        {answers === "service"
          ? "The service answers: each message costs money. Tools run for real."
          : "No key is used: the local emulator answers, and no model thinks. It costs nothing. Tools run for real."}
      </p>
      <div class="form-row wrap">
        <SelectField
          label="Agent"
          value={agent.name}
          onChange={(name) => inspector.go({ kind: "play", agent: name, session: "" })}
          options={agents.map(({ name }) => [name, name])}
        />
        {canReload && (
          <button type="button" disabled={task.isBusy} onClick={reload}>
            Reload agents
          </button>
        )}
        {route.session !== "" && (
          <button type="button" onClick={() => inspector.go({ kind: "play", agent: agent.name, session: "" })}>
            New session
          </button>
        )}
      </div>
      <TaskError task={task} />
      <Play key={`${agent.name} ${version}`} agent={agent} route={route} answers={answers} />
    </div>
  );
}

function Play({
  agent,
  route,
  answers,
}: {
  readonly agent: PlayAgent;
  readonly route: PlayRoute;
  readonly answers: Playground["answers"];
}): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [form, setForm] = useState(() => formOf(agent));
  const [message, setMessage] = useState("");
  const [newId, setNewId] = useState("");
  const task = useTask<void>();
  const send = (): void =>
    task.start(async () => {
      const changes = changesIn(form, agent);
      const request: PlayRequest = {
        agent: agent.name,
        message,
        ...(Object.keys(changes).length > 0 && { changes }),
        // Parsed from JSON.
        ...(form.context.trim() !== "" && { context: parseField(form.context, "The context") as Json }),
      };
      const id = route.session || newId.trim() || `play-${crypto.randomUUID().slice(0, 8)}`;
      await source.act(id, "play", request);
      setMessage("");
      inspector.go({ kind: "play", agent: agent.name, session: id });
    });
  return (
    <div class="play-sides">
      <div class="play-side stack">
        {route.session === "" ? (
          <InputField
            label="Id of the session"
            hint="Of a stored one, to go on with it; empty for a new one."
            value={newId}
            onChange={setNewId}
          />
        ) : (
          <PlayedSession key={route.session} id={route.session} />
        )}
        <Field label="Message">
          <TextArea value={message} onChange={setMessage} placeholder={`What to say to ${agent.name}`} />
        </Field>
        <div class="buttons wrap">
          <button type="button" class="primary" disabled={task.isBusy || message.trim() === ""} onClick={send}>
            {answers === "service" ? "Send (costs money)" : "Send"}
          </button>
        </div>
        <TaskError task={task} />
      </div>
      <div class="play-side stack">
        <AgentForm agent={agent} form={form} onChange={setForm} />
        <h2>What the code would have to say</h2>
        <Code text={codeFor(form, agent)} label="What the code would have to say" />
        {Object.keys(agent.limits).length > 0 && (
          <details>
            <summary>Limits</summary>
            <JsonCode value={agent.limits} label="Limits of the agent" />
          </details>
        )}
        {agent.tools.length > 0 && <h2>Run one tool</h2>}
        {agent.tools.map((tool) => (
          <ToolBox key={tool.name} agent={agent.name} tool={tool} context={form.context} />
        ))}
      </div>
    </div>
  );
}

function codeFor(form: Parameters<typeof changesIn>[0], agent: PlayAgent): string {
  try {
    return codeOf(changesIn(form, agent), agent) || "// Nothing differs from the code.";
  } catch (error) {
    return `// ${error instanceof Error ? error.message : String(error)}`;
  }
}
