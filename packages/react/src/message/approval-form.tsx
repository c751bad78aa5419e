import { type ReactElement, useId, useState } from "react";
import { type CallInput, EditForm, type EditFormProps, fieldsOf } from "./edit-form.tsx";
import { ToolFields } from "./tool-fields.tsx";

export interface ApprovalFormProps {
  readonly input: unknown;
  /** The arguments that may be changed. @defaultValue none */
  readonly editable: readonly string[] | undefined;
  readonly isDisabled: boolean;
  /** `reason` is why not, for the model. */
  readonly onDecide: (approved: boolean, reason?: string) => void;
  readonly onEdit: EditFormProps["onSave"];
}

/** May a call run? As it is, with other values where the tool allows them, or not, and why. */
export function ApprovalForm({ input, editable, isDisabled, onDecide, onEdit }: ApprovalFormProps): ReactElement {
  const [mode, setMode] = useState<"asked" | "edited" | "denied">("asked");
  const [reason, setReason] = useState("");
  const id = useId();
  const fields = fieldsOf(input, editable);
  const back = (
    <button type="button" className="plain" onClick={() => setMode("asked")}>
      Back
    </button>
  );
  if (mode === "edited" && isRecord(input))
    return (
      <EditForm input={input} fields={fields} isDisabled={isDisabled} onSave={onEdit}>
        {back}
      </EditForm>
    );
  if (mode === "denied")
    return (
      <form
        className="approval"
        onSubmit={(event) => {
          event.preventDefault();
          onDecide(false, reason.trim());
        }}
      >
        <div className="edit-field">
          <label htmlFor={id}>Why not?</label>
          <input id={id} autoFocus dir="auto" value={reason} onChange={({ target }) => setReason(target.value)} />
        </div>
        <div className="approval-buttons">
          <button type="submit" className="primary" disabled={isDisabled}>
            Deny
          </button>
          {back}
        </div>
      </form>
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
        <button type="button" className="plain" disabled={isDisabled} onClick={() => setMode("denied")}>
          Say why not
        </button>
        {fields.length > 0 && (
          <button type="button" className="plain" disabled={isDisabled} onClick={() => setMode("edited")}>
            Edit
          </button>
        )}
      </div>
    </div>
  );
}

function isRecord(input: unknown): input is CallInput {
  return typeof input === "object" && input !== null;
}
