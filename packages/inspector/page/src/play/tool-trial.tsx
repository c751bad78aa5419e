import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlayTool, ToolTrial } from "../../../src/play/play.ts";
import { Notes, TaskError, Button, TextField } from "../acting/parts.tsx";
import { parseField, useTask } from "../acting/use-task.ts";
import { useInspector } from "../app/inspector.ts";
import { Code, JsonCode, JsonDetails } from "../ui/code.tsx";
import { formatDuration } from "../ui/format.ts";
import { SchemaField } from "./schema-field.tsx";

interface ToolBoxProps {
  readonly agent: string;
  readonly tool: PlayTool;
  readonly context: string;
}

/** One tool: a form for its arguments, and what comes of a call by hand. */
export function ToolBox({ agent, tool, context }: ToolBoxProps): JSX.Element {
  const { source } = useInspector().open.value;
  const [args, setArgs] = useState<Json>({});
  const [text, setText] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const task = useTask<ToolTrial>();
  const { name, schema, description, warnings, notRun } = tool;
  const run = (confirmed: boolean): void => {
    setAsking(false);
    task.start(async () => {
      return await source.post("/play/tool", {
        agent,
        tool: name,
        args: text === undefined ? args : parseField(text, "The arguments"),
        context: context.trim() === "" ? undefined : parseField(context, "The context"),
        confirmed,
      });
    });
  };
  return (
    <details class="tool">
      <summary>
        <b class="mono">{name}</b>
      </summary>
      <div class="played stack">
        {description !== "" && <p class="dim">{description}</p>}
        {notRun !== undefined ? (
          <p class="dim">{notRun}</p>
        ) : (
          <>
            {text === undefined ? (
              <SchemaField
                label="Arguments"
                schema={schema}
                root={schema}
                value={args}
                onChange={(value) => setArgs(value ?? {})}
                isTop
              />
            ) : (
              <TextField label="Arguments, as JSON" value={text} onChange={setText} isCode rows={6} />
            )}
            <Notes notes={warnings} look="banner is-odd" />
            <div class="buttons wrap">
              {isAsking ? (
                <>
                  <Button say={`Yes, run ${name}`} class="primary" disabled={task.isBusy} onClick={() => run(true)} />
                  <Button say="Don't run it" onClick={() => setAsking(false)} />
                </>
              ) : (
                <Button
                  say={task.isBusy ? "Running…" : `Run ${name}${warnings.length > 0 ? "…" : ""}`}
                  disabled={task.isBusy}
                  onClick={() => (warnings.length > 0 ? setAsking(true) : run(false))}
                />
              )}
              <Button
                say={text === undefined ? "Write JSON" : "Use the form"}
                onClick={() => setText(text === undefined ? JSON.stringify(args, undefined, 2) : undefined)}
              />
            </div>
            <TaskError task={task} />
            {task.value !== undefined && <Trial name={name} trial={task.value} />}
          </>
        )}
      </div>
    </details>
  );
}

function Trial({ name, trial }: { readonly name: string; readonly trial: ToolTrial }): JSX.Element {
  const { status, durationMs, failure, answer, progress, thrown } = trial;
  return (
    <section class="result stack" aria-label={`Result of ${name}`} aria-live="polite">
      <p class={`banner ${failure === undefined ? "is-ok" : "is-error"}`}>
        {status} in {formatDuration(durationMs)}
        {failure !== undefined && `: ${failure.kind}, ${failure.message}`}
      </p>
      <h3>What the model would read</h3>
      {/* Contents are JSON. */}
      <JsonCode value={answer as unknown as Json} label={`What the model would read of ${name}`} />
      {thrown !== undefined && (
        <>
          <h3>What it threw; the model doesn't read this</h3>
          <Code text={thrown} label={`What ${name} threw`} />
        </>
      )}
      {progress.length > 0 && <JsonDetails title="What it reported" value={progress} label={`Progress of ${name}`} />}
    </section>
  );
}
