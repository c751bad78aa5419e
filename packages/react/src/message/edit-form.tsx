import { type ReactElement, type ReactNode, useId, useState } from "react";

/** All arguments of a call. */
export type CallInput = Readonly<Record<string, unknown>>;

export interface EditFormProps {
  readonly input: CallInput;
  /** What of it can be changed. */
  readonly fields: readonly Field[];
  readonly isDisabled: boolean;
  /** @returns Why the tool does not accept the arguments, if it does not. */
  readonly onSave: (input: CallInput) => Promise<string | undefined>;
  /** Beside the button that sends it. */
  readonly children?: ReactNode;
}

/** Other values for a call that waits for approval: sending them approves it. */
export function EditForm({ input, fields, isDisabled, onSave, children }: EditFormProps): ReactElement {
  const [values, setValues] = useState(() => fields.map(({ value }) => String(value)));
  const [refusal, setRefusal] = useState<string>();
  const id = useId();
  const problems = fields.map(({ name }) => problemOf(refusal, name));
  const save = async (): Promise<void> => {
    setRefusal(undefined);
    const changed = fields.map(({ name, value }, index) => [name, parse(values[index] ?? "", value)] as const);
    setRefusal(await onSave({ ...input, ...Object.fromEntries(changed) }));
  };
  return (
    <form
      className="approval"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {fields.map(({ name, value }, index) => {
        const problem = problems[index];
        return (
          <div className="edit-field" key={name}>
            <label htmlFor={`${id}-${name}`}>{name}</label>
            <input
              id={`${id}-${name}`}
              autoFocus={index === 0}
              type={typeof value === "number" ? "number" : "text"}
              step="any"
              required
              aria-invalid={problem !== undefined}
              aria-describedby={problem === undefined ? undefined : `${id}-${name}-problem`}
              value={values[index] ?? ""}
              onChange={(event) => setValues(values.with(index, event.target.value))}
            />
            {problem !== undefined && (
              <p id={`${id}-${name}-problem`} className="edit-problem" role="alert">
                {problem}
              </p>
            )}
          </div>
        );
      })}
      {refusal !== undefined && problems.every((problem) => problem === undefined) && (
        <p className="edit-problem" role="alert">
          {refusal}
        </p>
      )}
      <div className="approval-buttons">
        <button type="submit" className="primary" disabled={isDisabled}>
          Approve with these values
        </button>
        {children}
      </div>
    </form>
  );
}

/** A value that can be edited as a text. */
export interface Field {
  readonly name: string;
  readonly value: string | number;
}

/** What of an input can be edited here, and may be; the rest stays as it is. */
export function fieldsOf(input: unknown, editable: readonly string[] = []): readonly Field[] {
  if (typeof input !== "object" || input === null) return [];
  return Object.entries(input).flatMap(([name, value]: [string, unknown]) =>
    editable.includes(name) && (typeof value === "string" || typeof value === "number") ? [{ name, value }] : [],
  );
}

function parse(text: string, before: string | number): string | number {
  return typeof before === "number" ? Number(text) : text;
}

/** What a refusal says about one field: it names each before its problem, as in `quantity: Too big; item: Required`. */
function problemOf(refusal: string | undefined, name: string): string | undefined {
  const [, found] = ` ${refusal ?? ""}`.split(` ${name}: `, 2);
  return found?.split("; ", 1)[0];
}
