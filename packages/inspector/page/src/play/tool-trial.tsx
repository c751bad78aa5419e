import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlayTool, ToolTrial } from "../../../src/play/play.ts";
import { Notes, TaskError, Button, TextField, InputField, SelectField } from "../acting/parts.tsx";
import { parseField, useTask } from "../acting/use-task.ts";
import { useInspector } from "../app/inspector.ts";
import { Code, JsonCode, JsonDetails } from "../ui/code.tsx";
import { formatDuration } from "../ui/format.ts";
import { memberOf, shownFor, withMember } from "./schema-form.ts";

interface ToolBoxProps {
  readonly agent: string;
  readonly tool: PlayTool;
  readonly context: string;
}

/** One tool: a form for its arguments, and the result of a call by hand. */
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
                  <Button say="Cancel" onClick={() => setAsking(false)} />
                </>
              ) : (
                <Button
                  say={task.isBusy ? "Running…" : `Run ${name}${warnings.length > 0 ? "…" : ""}`}
                  disabled={task.isBusy}
                  onClick={() => (warnings.length > 0 ? setAsking(true) : run(false))}
                />
              )}
              <Button
                say={text === undefined ? "Edit as JSON" : "Use form"}
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
        {failure !== undefined && `: ${failure.kind === status ? "" : `${failure.kind}, `}${failure.message}`}
      </p>
      <h3>Response to the model</h3>
      {/* Contents are JSON. */}
      <JsonCode value={answer as unknown as Json} label={`Response of ${name} to the model`} />
      {thrown !== undefined && (
        <>
          <h3>Error thrown (the model doesn't read it)</h3>
          <Code text={thrown} label={`Error of ${name}`} />
        </>
      )}
      {progress.length > 0 && <JsonDetails title="Progress reports" value={progress} label={`Progress of ${name}`} />}
    </section>
  );
}

/** Most entries of a list in a form. */
const MAX_ENTRIES = 50;

/** A field for a part of a schema, or one for each of its parts. Undefined stands for an omitted value. */
function SchemaField(props: {
  readonly label: string;
  readonly schema: Json;
  readonly root: Json;
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
  readonly hint?: string | undefined;
  readonly isTop?: boolean | undefined;
  readonly depth?: number | undefined;
}): JSX.Element {
  const { label, schema, root, value, onChange, hint, isTop = false, depth = 0 } = props;
  const shown = shownFor(schema, root, depth);
  switch (shown.kind) {
    case "text":
      return (
        <TextField
          label={label}
          hint={hint}
          value={typeof value === "string" ? value : ""}
          onChange={(text) => onChange(text === "" ? undefined : text)}
          rows={1}
        />
      );
    case "number":
      return (
        <InputField
          label={label}
          hint={hint}
          type="number"
          step="any"
          value={typeof value === "number" ? String(value) : ""}
          onChange={(text) => onChange(text === "" ? undefined : Number(text))}
        />
      );
    case "boolean":
      return <Choice {...props} options={[true, false]} />;
    case "choice":
      return <Choice {...props} options={shown.options} />;
    case "list": {
      const entries = Array.isArray(value) ? value : [];
      const set = (index: number, entry: Json | undefined): void =>
        onChange(entries.toSpliced(index, 1, ...(entry === undefined ? [null] : [entry])));
      return (
        <fieldset class="stack box">
          <legend>{label}</legend>
          {entries.slice(0, MAX_ENTRIES).map((entry, index) => (
            <SchemaField
              key={index}
              label={`${label} ${index + 1}`}
              schema={shown.items}
              root={root}
              value={entry ?? undefined}
              onChange={(next) => set(index, next)}
              depth={depth + 1}
            />
          ))}
          <div class="buttons wrap">
            <Button say={`Add to ${label}`} onClick={() => onChange([...entries, null])} />
            {entries.length > 0 && (
              <Button
                say="Remove last"
                onClick={() => onChange(entries.length === 1 ? undefined : entries.slice(0, -1))}
              />
            )}
          </div>
        </fieldset>
      );
    }
    case "object": {
      const fields = shown.members.map(({ name, schema: member, isRequired, description }) => (
        <SchemaField
          key={name}
          label={isRequired ? name : `${name} (optional)`}
          hint={description}
          schema={member}
          root={root}
          value={memberOf(value, name)}
          onChange={(next) => onChange(withMember(value, name, next))}
          depth={depth + 1}
        />
      ));
      if (fields.length === 0) return <p class="dim">It takes no arguments.</p>;
      if (isTop) return <>{fields}</>;
      return (
        <fieldset class="stack box">
          <legend>{label}</legend>
          {fields}
        </fieldset>
      );
    }
    case "json":
      return <JsonField {...props} />;
  }
}

type FieldProps = Parameters<typeof SchemaField>[0];

function Choice({
  label,
  hint,
  value,
  onChange,
  options,
}: FieldProps & { readonly options: readonly Json[] }): JSX.Element {
  return (
    <SelectField
      label={label}
      hint={hint}
      value={String(options.findIndex((one) => one === value))}
      onChange={(index) => onChange(options[Number(index)])}
      options={[
        ["-1", "(not set)"],
        ...options.map((option, index): readonly [string, string] => [
          String(index),
          typeof option === "string" ? option : JSON.stringify(option),
        ]),
      ]}
    />
  );
}

/** Passes on invalid JSON as a text, which the tool then checks. */
function JsonField({ label, hint, value, onChange }: FieldProps): JSX.Element {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value));
  const change = (next: string): void => {
    setText(next);
    try {
      onChange(next.trim() === "" ? undefined : (JSON.parse(next) as Json));
    } catch {
      onChange(next);
    }
  };
  return <TextField label={`${label}, as JSON`} hint={hint} value={text} onChange={change} isCode />;
}
