import { type InputHTMLAttributes, type ReactElement, useId, useState } from "react";
import { Button } from "../button.tsx";
import { recordOf, ToolFields } from "./tool-fields.tsx";

export interface ApprovalFormProps {
  readonly input: unknown;
  /** The arguments that may be changed. @defaultValue none */
  readonly editable: readonly string[] | undefined;
  readonly isDisabled: boolean;
  /** `reason`: of a denial, for the model. */
  readonly onDecide: (approved: boolean, reason?: string) => void;
  /** Approves all arguments as they are now. @returns Why the tool does not accept them, if it does not. */
  readonly onEdit: (input: Readonly<Record<string, unknown>>) => Promise<string | undefined>;
}

/** Asks whether a call may run: as it is, with other values where the tool allows them, or not, with a reason. */
export function ApprovalForm({ input, editable, isDisabled, onDecide, onEdit }: ApprovalFormProps): ReactElement {
  const [mode, setMode] = useState<"asked" | "edited" | "denied">("asked");
  const [refusal, setRefusal] = useState("");
  const fields = fieldsOf(input, editable);
  const problems = fields.map(([name]) => problemOf(refusal, name));

  const save = async (form: FormData): Promise<void> => {
    setRefusal("");
    const edited = fields.map(([name, before]) => {
      const value = textIn(form, name);
      return [name, typeof before === "number" ? Number(value) : value] as const;
    });
    setRefusal((await onEdit({ ...recordOf(input), ...Object.fromEntries(edited) })) ?? "");
  };

  if (mode === "asked")
    return (
      <div className="approval">
        <ToolFields title="It would run with" value={input} />
        <div className="approval-buttons">
          <Button className="primary" disabled={isDisabled} onClick={() => onDecide(true)} label="Approve" />
          <Button disabled={isDisabled} onClick={() => onDecide(false)} label="Deny" />
          <Button disabled={isDisabled} onClick={() => setMode("denied")} label="Say why not" />
          {fields.length > 0 && <Button disabled={isDisabled} onClick={() => setMode("edited")} label="Edit" />}
        </div>
      </div>
    );
  return (
    <form
      className="approval"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        if (mode === "edited") void save(form);
        else onDecide(false, textIn(form, "reason").trim());
      }}
    >
      {mode === "denied" && <Field label="Why not?" name="reason" autoFocus dir="auto" />}
      {mode === "edited" &&
        fields.map(([name, value], index) => (
          <Field
            key={name}
            label={name}
            problem={problems[index]}
            name={name}
            autoFocus={index === 0}
            type={typeof value === "number" ? "number" : "text"}
            step="any"
            required
            defaultValue={value}
          />
        ))}
      {refusal !== "" && problems.every((problem) => problem === undefined) && (
        <p className="edit-problem" role="alert">
          {refusal}
        </p>
      )}
      <div className="approval-buttons">
        <Button
          type="submit"
          className="primary"
          disabled={isDisabled}
          label={mode === "edited" ? "Approve with these values" : "Deny"}
        />
        <Button onClick={() => setMode("asked")} label="Back" />
      </div>
    </form>
  );
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string;
  readonly problem?: string | undefined;
}

function Field({ label, problem, ...input }: FieldProps): ReactElement {
  const id = useId();
  const isWrong = problem !== undefined;
  return (
    <div className="edit-field">
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-invalid={isWrong} aria-describedby={isWrong ? `${id}-problem` : undefined} {...input} />
      {isWrong && (
        <p id={`${id}-problem`} className="edit-problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

function textIn(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/** The members of an input that are editable and can be edited as text; the rest stays unchanged. */
function fieldsOf(input: unknown, editable: readonly string[] = []): readonly (readonly [string, string | number])[] {
  return Object.entries(recordOf(input)).flatMap(([name, value]) =>
    editable.includes(name) && (typeof value === "string" || typeof value === "number") ? [[name, value]] : [],
  );
}

/** What a refusal says about one field: it names each before its problem, as in `quantity: Too big; item: Required`. */
function problemOf(refusal: string, name: string): string | undefined {
  const [, found] = ` ${refusal}`.split(` ${name}: `, 2);
  return found?.split("; ", 1)[0];
}
