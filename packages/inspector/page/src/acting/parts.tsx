import type { ComponentChildren, JSX } from "preact";
import type { SourceAbout } from "../../../src/inspection/source.ts";
import { useInspector } from "../app/inspector.ts";
import type { Task } from "./use-task.ts";

/** What the open source can do; nothing before it is known. */
export function useAbout(): SourceAbout {
  return useInspector().open.value.about.value ?? NOTHING;
}

const NOTHING: SourceAbout = {
  title: "",
  actions: [],
  isLive: false,
  agents: [],
  answers: "service",
  hasPrices: false,
  hasEvals: false,
};

/** A label above what it names. */
export function Field({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="field">
      <label class="field">
        <span class="field-label">{label}</span>
        {children}
      </label>
      {hint !== undefined && <span class="dim">{hint}</span>}
    </div>
  );
}

/** A text of several lines. */
export function TextArea({
  value,
  onChange,
  rows = 3,
  isCode = false,
  placeholder,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly rows?: number | undefined;
  readonly isCode?: boolean | undefined;
  readonly placeholder?: string | undefined;
}): JSX.Element {
  return (
    <textarea
      class={isCode ? "mono" : ""}
      rows={rows}
      value={value}
      spellcheck={false}
      placeholder={placeholder}
      onInput={({ currentTarget }) => onChange(currentTarget.value)}
    />
  );
}

/** Which agent: one that was given, or the one that is rebuilt. */
export function AgentSelect({
  value,
  onChange,
  rebuilt,
}: {
  readonly value: string;
  readonly onChange: (name: string) => void;
  /** What it means to choose none. */
  readonly rebuilt: string;
}): JSX.Element {
  const { agents } = useAbout();
  return (
    <Field label="Agent">
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">{rebuilt}</option>
        {agents.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Why something did not work. */
export function TaskError({ task }: { readonly task: Pick<Task<unknown>, "error"> }): JSX.Element | null {
  if (task.error === undefined) return null;
  return (
    <p class="banner is-error" role="alert">
      {task.error.message}
    </p>
  );
}

/** What else is worth knowing. */
export function Notes({ notes }: { readonly notes: readonly string[] }): JSX.Element | null {
  if (notes.length === 0) return null;
  return (
    <ul class="notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

/** Says that the page only reads, and how to change that. */
export function ReadOnlyHint(): JSX.Element {
  return (
    <p class="dim">
      The inspector is read-only here. Start it with <code>--allow-actions</code>, or mount it with{" "}
      <code>allowActions: true</code>, to answer, send and stop.
    </p>
  );
}
