import { type ReactElement, useId, useState } from "react";
import { ToolFields } from "./tool-fields.tsx";

export interface ApprovalFormProps {
  readonly input: unknown;
  readonly isDisabled: boolean;
  readonly onDecide: (approved: boolean, reason?: string) => void;
}

/** May a call run? As it is, not at all, or with other values: then the model is told to make it again. */
export function ApprovalForm({ input, isDisabled, onDecide }: ApprovalFormProps): ReactElement {
  const [isEdited, setEdited] = useState(false);
  const fields = fieldsOf(input);
  if (isEdited)
    return (
      <EditForm
        fields={fields}
        isDisabled={isDisabled}
        onCancel={() => setEdited(false)}
        onSave={(changes) =>
          changes === "" ? setEdited(false) : onDecide(false, `Not with these values. Call it again with ${changes}.`)
        }
      />
    );
  return (
    <div className="approval">
      <ToolFields title="It would run with" value={input} />
      <div className="approval-buttons">
        <button type="button" className="primary" disabled={isDisabled} onClick={() => onDecide(true)}>
          Approve
        </button>
        <button type="button" className="plain" disabled={isDisabled} onClick={() => onDecide(false)}>
          Deny
        </button>
        {fields.length > 0 && (
          <button type="button" className="plain" disabled={isDisabled} onClick={() => setEdited(true)}>
            Edit
          </button>
        )}
      </div>
    </div>
  );
}

/** A value that can be edited as a text. */
interface Field {
  readonly name: string;
  readonly value: string | number;
}

interface EditFormProps {
  readonly fields: readonly Field[];
  readonly isDisabled: boolean;
  readonly onCancel: () => void;
  /** @param changes - Such as `quantity 2 instead of 3`; empty without any. */
  readonly onSave: (changes: string) => void;
}

function EditForm({ fields, isDisabled, onCancel, onSave }: EditFormProps): ReactElement {
  const [values, setValues] = useState(() => fields.map(({ value }) => String(value)));
  const id = useId();
  const changes = fields.flatMap(({ name, value }, index) => {
    const next = values[index] ?? "";
    if (next === String(value)) return [];
    return [`${name} ${typeof value === "number" ? next : JSON.stringify(next)} instead of ${JSON.stringify(value)}`];
  });
  return (
    <form
      className="approval"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(changes.join(", "));
      }}
    >
      {fields.map(({ name, value }, index) => (
        <div className="edit-field" key={name}>
          <label htmlFor={`${id}-${name}`}>{name}</label>
          <input
            id={`${id}-${name}`}
            autoFocus={index === 0}
            type={typeof value === "number" ? "number" : "text"}
            step="any"
            required
            value={values[index] ?? ""}
            onChange={(event) => setValues(values.with(index, event.target.value))}
          />
        </div>
      ))}
      <p className="small-print">The model makes the call again with your values, and you are asked once more.</p>
      <div className="approval-buttons">
        <button type="submit" className="primary" disabled={isDisabled || changes.length === 0}>
          Send changes
        </button>
        <button type="button" className="plain" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function fieldsOf(input: unknown): readonly Field[] {
  if (typeof input !== "object" || input === null) return [];
  return Object.entries(input).flatMap(([name, value]: [string, unknown]) =>
    typeof value === "string" || typeof value === "number" ? [{ name, value }] : [],
  );
}
