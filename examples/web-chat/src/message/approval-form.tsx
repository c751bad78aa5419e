import { type ReactElement, useState } from "react";
import { type CallInput, EditForm, type EditFormProps, fieldsOf } from "./edit-form.tsx";
import { ToolFields } from "./tool-fields.tsx";

export interface ApprovalFormProps {
  readonly input: unknown;
  readonly isDisabled: boolean;
  readonly onDecide: (approved: boolean) => void;
  readonly onEdit: EditFormProps["onSave"];
}

/** May a call run? As it is, with other values, or not at all. */
export function ApprovalForm({ input, isDisabled, onDecide, onEdit }: ApprovalFormProps): ReactElement {
  const [isEdited, setEdited] = useState(false);
  if (isEdited && isRecord(input))
    return <EditForm input={input} isDisabled={isDisabled} onCancel={() => setEdited(false)} onSave={onEdit} />;
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
        {fieldsOf(input).length > 0 && (
          <button type="button" className="plain" disabled={isDisabled} onClick={() => setEdited(true)}>
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
