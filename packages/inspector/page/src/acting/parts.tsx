import type { ButtonHTMLAttributes, ComponentChildren, JSX } from "preact";
import { NOTHING_OPEN, type SourceAbout } from "../../../src/inspection/source.ts";
import { useInspector } from "../app/inspector.ts";
import type { Task } from "./use-task.ts";
import type { RunRow } from "../../../src/inspection/inspection.ts";

/** What the open source can do; nothing until that is loaded. */
export function useAbout(): SourceAbout {
  return useInspector().open.value.about.value ?? NOTHING_OPEN;
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
}

/** A label above an input, with a hint below. */
function Field({ label, hint, children }: FieldProps & { readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="field stack is-tight">
      <label class="field stack is-tight">
        <span class="small">{label}</span>
        {children}
      </label>
      {hint !== undefined && <span class="dim">{hint}</span>}
    </div>
  );
}

interface ValueProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** Props of a single-line input. */
interface InputProps extends FieldProps, ValueProps {
  readonly type?: "text" | "number" | "date";
  readonly min?: number;
  readonly max?: number;
  readonly step?: number | "any";
  readonly placeholder?: string | undefined;
}

/** A single-line input of any type, by default a text. */
export function InputField({ label, hint, value, onChange, ...more }: InputProps): JSX.Element {
  const attributes: object = { type: "text", ...more };
  return (
    <Field label={label} hint={hint}>
      <input value={value} onInput={({ currentTarget }) => onChange(currentTarget.value)} {...attributes} />
    </Field>
  );
}

type SelectProps = FieldProps & ValueProps & { readonly options: readonly (readonly [value: string, title: string])[] };

/** A list of values with titles. */
export function SelectField({ label, hint, value, onChange, options }: SelectProps): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** The same as a row of buttons. */
export function Choices({ label, value, onChange, options }: SelectProps): JSX.Element {
  return (
    <div class="filters wrap is-tight" role="group" aria-label={label}>
      {options.map(([name, title]) => (
        <Button key={name} say={title} aria-pressed={name === value} onClick={() => onChange(name)} />
      ))}
    </div>
  );
}

interface CheckListProps {
  readonly legend: string;
  readonly names: readonly string[];
  readonly ticked: readonly string[];
  readonly onChange: (ticked: readonly string[]) => void;
}

/** Names with checkboxes. */
export function CheckList({ legend, names, ticked, onChange }: CheckListProps): JSX.Element | null {
  if (names.length === 0) return null;
  return (
    <fieldset class="wrap box">
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={ticked.includes(name)}
            onChange={({ currentTarget: { checked } }) =>
              onChange(names.filter((one) => (one === name ? checked : ticked.includes(one))))
            }
          />{" "}
          <code>{name}</code>
        </label>
      ))}
    </fieldset>
  );
}

interface TextProps extends FieldProps, ValueProps {
  readonly rows?: number | undefined;
  readonly isCode?: boolean | undefined;
  readonly placeholder?: string | undefined;
}

/** A text of several lines. */
export function TextField({ label, hint, value, onChange, rows = 3, isCode, placeholder }: TextProps): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      <textarea
        class={isCode === true ? "mono" : ""}
        rows={rows}
        value={value}
        spellcheck={false}
        placeholder={placeholder}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </Field>
  );
}

/** Selects an agent of the inspector, or none. @param none - Title of the choice without an agent. */
export function AgentSelect({ value, onChange, none }: ValueProps & { readonly none: string }): JSX.Element {
  const options = useAbout().agents.map((name) => [name, name] as const);
  return <SelectField label="Agent" value={value} onChange={onChange} options={[["", none], ...options]} />;
}

/** The error of a task. */
export function TaskError({ task }: { readonly task: Pick<Task<unknown>, "error"> }): JSX.Element | null {
  if (task.error === undefined) return null;
  return (
    <p class="banner is-error" role="alert">
      {task.error.message}
    </p>
  );
}

interface NotesProps {
  readonly notes: readonly string[];
  readonly look?: string | undefined;
}

/** A list of notes. */
export function Notes({ notes, look = "list dim" }: NotesProps): JSX.Element | null {
  if (notes.length === 0) return null;
  return (
    <ul class={look}>
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

/** Explains that the page is read-only, and how to change that. */
export function ReadOnlyHint(): JSX.Element {
  return (
    <p class="dim">
      The inspector is read-only. Start it with <code>--allow-actions</code>, or mount it with{" "}
      <code>allowActions: true</code>, to answer, send and stop.
    </p>
  );
}

/** A button. @param say - Its label. */
export function Button({
  say,
  ...attributes
}: ButtonHTMLAttributes & { readonly say: ComponentChildren }): JSX.Element {
  return (
    <button type="button" {...attributes}>
      {say}
    </button>
  );
}

/** Most runs to choose from, latest first. */
const MAX_CHOICES = 500;

interface RunSelectProps {
  readonly runs: readonly RunRow[];
  readonly value: string;
  readonly onChange: (runId: string) => void;
}

/** Selects one of a session's runs, by its id. */
export function RunSelect({ runs, value, onChange }: RunSelectProps): JSX.Element {
  const first = Math.max(0, runs.length - MAX_CHOICES) + 1;
  const options = runs
    .slice(-MAX_CHOICES)
    .map(({ runId, input }, index) => [runId, `${first + index}. ${input.slice(0, 80)}`] as const);
  return <SelectField label="Run" value={value} onChange={onChange} options={options} />;
}

interface CopyButtonProps {
  readonly text: string | (() => string | Promise<string>);
  /** For screen readers, which read "Copy" before it. */
  readonly what: string;
  readonly title?: string | undefined;
}

/** Copies a text to the clipboard. */
export function CopyButton({ text, what, title = "Copy" }: CopyButtonProps): JSX.Element {
  const inspector = useInspector();
  const copy = (): void => void inspector.copy(typeof text === "string" ? () => text : text);
  return <Button say={title} class="quiet" aria-label={`${title} ${what}`} onClick={copy} />;
}
