import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { InputField, SelectField, Button, TextField } from "../acting/parts.tsx";
import { memberOf, shownFor, withMember } from "./schema-form.ts";

/** Entries of a list that a form shows. */
const MAX_ENTRIES = 50;

/** A field for a part of a schema, or one for each of its parts. Undefined is a value that is left out. */
export function SchemaField(props: {
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
                say="Take the last off"
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
        ["-1", "(not given)"],
        ...options.map((option, index): readonly [string, string] => [
          String(index),
          typeof option === "string" ? option : JSON.stringify(option),
        ]),
      ]}
    />
  );
}

/** What is no JSON yet is kept as text, and sent as such: the tool says what it thinks of it. */
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
