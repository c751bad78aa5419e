import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlayAgent, Playground } from "../../../src/play/play.ts";
import { InputField, SelectField, TaskError, Button, CheckList, TextField } from "../acting/parts.tsx";
import { parseField, useTask } from "../acting/use-task.ts";
import { useInspector, useLoad } from "../app/inspector.ts";
import type { PlayRoute } from "../app/route.ts";
import { Code, JsonDetails } from "../ui/code.tsx";
import { Empty, Waiting } from "../ui/notes.tsx";
import { changesIn, codeOf, formOf, type PlayForm } from "./changes-code.ts";
import { PlayedSession } from "./played-session.tsx";
import { ToolBox } from "./tool-trial.tsx";

/** The playground. */
export function PlayView({ route }: { readonly route: PlayRoute }): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [version, setVersion] = useState(0);
  const task = useTask<void>();
  const { value, error } = useLoad(["play", version], () => source.play());
  if (value === undefined) return <Waiting error={error} />;
  const { agents, answers, canReload } = value;
  const agent = agents.find(({ name }) => name === route.agent) ?? agents[0];
  if (agent === undefined)
    return (
      <Empty title="No agents">
        <p>Start the studio with a file that exports agents:</p>
        <pre>pollux studio agent.ts</pre>
      </Empty>
    );
  const reload = (): void =>
    task.start(async () => {
      await source.post("/play/reload", {});
      setVersion(version + 1);
      inspector.say("Agents reloaded.");
    });
  return (
    <div class="acting stack play">
      <p class={`banner ${answers === "service" ? "is-odd" : "is-ok"}`}>
        {answers === "service"
          ? "The service answers: each message costs money. Tools run for real."
          : "The local emulator answers, without a key, a model or costs. Tools run for real."}
      </p>
      <div class="form-row wrap">
        <SelectField
          label="Agent"
          value={agent.name}
          onChange={(name) => inspector.go({ kind: "play", agent: name, session: "" })}
          options={agents.map(({ name }) => [name, name])}
        />
        {canReload && <Button say="Reload agents" disabled={task.isBusy} onClick={reload} />}
        {route.session !== "" && (
          <Button say="New session" onClick={() => inspector.go({ kind: "play", agent: agent.name, session: "" })} />
        )}
      </div>
      <TaskError task={task} />
      <Play key={`${agent.name} ${version}`} agent={agent} route={route} answers={answers} />
    </div>
  );
}

interface PlayProps {
  readonly agent: PlayAgent;
  readonly route: PlayRoute;
  readonly answers: Playground["answers"];
}

function Play({ agent, route, answers }: PlayProps): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [form, setForm] = useState(() => formOf(agent));
  const [message, setMessage] = useState("");
  const [newId, setNewId] = useState("");
  const task = useTask<void>();
  const send = (): void =>
    task.start(async () => {
      const changes = changesIn(form, agent);
      const context = form.context.trim() === "" ? undefined : parseField(form.context, "The context");
      const id = route.session || newId.trim() || `play-${crypto.randomUUID().slice(0, 8)}`;
      await source.act(id, "play", { agent: agent.name, message, changes, context });
      setMessage("");
      inspector.go({ kind: "play", agent: agent.name, session: id });
    });
  return (
    <div class="play-sides">
      <div class="play-side stack">
        {route.session === "" ? (
          <InputField
            label="Session id"
            hint="Enter the id of a stored session to continue it, or leave it empty for a new one."
            value={newId}
            onChange={setNewId}
          />
        ) : (
          <PlayedSession key={route.session} id={route.session} />
        )}
        <TextField label="Message" value={message} onChange={setMessage} placeholder={`Message ${agent.name}`} />
        <div class="buttons wrap">
          <Button
            say={answers === "service" ? "Send (costs money)" : "Send"}
            class="primary"
            disabled={task.isBusy || message.trim() === ""}
            onClick={send}
          />
        </div>
        <TaskError task={task} />
      </div>
      <div class="play-side stack">
        <AgentForm agent={agent} form={form} onChange={setForm} />
        <h2>Changes as code</h2>
        <Code text={codeFor(form, agent)} label="Changes as code" />
        {Object.keys(agent.limits).length > 0 && (
          <JsonDetails title="Limits" value={agent.limits} label="Limits of the agent" />
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
    return codeOf(changesIn(form, agent), agent) || "// No changes yet.";
  } catch (error) {
    return `// ${error instanceof Error ? error.message : String(error)}`;
  }
}

const THINKING = ["off", "minimal", "low", "medium", "high", "xhigh"];

interface AgentFormProps {
  readonly agent: PlayAgent;
  readonly form: PlayForm;
  readonly onChange: (form: PlayForm) => void;
}

/** An agent as its code defines it, to change for the next message. */
export function AgentForm({ agent, form, onChange }: AgentFormProps): JSX.Element {
  const set = (change: Partial<PlayForm>): void => onChange({ ...form, ...change });
  const own = (name: string): string | undefined =>
    agent.settings[name] === undefined ? undefined : JSON.stringify(agent.settings[name]);
  const isMade = agent.made.includes("instructions");
  return (
    <>
      <InputField label="Model" value={form.model} onChange={(model) => set({ model })} />
      <TextField
        label="Instructions"
        hint={isMade ? "A function returns them for each run; a text here replaces it." : undefined}
        value={form.instructions}
        onChange={(instructions) => set({ instructions })}
        rows={5}
      />
      <div class="form-row wrap">
        <InputField
          label="Temperature"
          type="number"
          min={0}
          max={2}
          step={0.1}
          placeholder={own("temperature")}
          value={form.temperature}
          onChange={(temperature) => set({ temperature })}
        />
        <InputField
          label="Max output tokens"
          type="number"
          min={1}
          placeholder={own("maxOutputTokens")}
          value={form.maxOutputTokens}
          onChange={(maxOutputTokens) => set({ maxOutputTokens })}
        />
        <SelectField
          label="Thinking"
          value={form.thinking}
          onChange={(thinking) => set({ thinking })}
          options={[
            ["", `from the code${own("thinking") === undefined ? "" : `: ${own("thinking")}`}`],
            ...THINKING.map((level) => [level, level] as const),
          ]}
        />
      </div>
      <CheckList
        legend="Tools"
        names={agent.tools.map(({ name }) => name)}
        ticked={form.tools}
        onChange={(tools) => set({ tools })}
      />
      {agent.made.includes("tools") && <p class="dim">A function returns its tools for each run.</p>}
      <details>
        <summary>More settings and context</summary>
        <TextField
          label="More settings, as JSON"
          value={form.settings}
          onChange={(settings) => set({ settings })}
          isCode
          placeholder='{"topP": 0.9}'
        />
        <TextField
          label="Context of the run, as JSON"
          hint="Tools and hooks get it as context. It is not stored."
          value={form.context}
          onChange={(context) => set({ context })}
          isCode
        />
      </details>
    </>
  );
}
