import { type FormEvent, type KeyboardEvent, type ReactElement, useState } from "react";
import { instead, isSendKey } from "../browser.ts";
import { Button } from "../button.tsx";

export interface EditQuestionProps {
  readonly text: string;
  readonly onCancel: () => void;
  readonly onSave: (text: string) => void;
}

/** A question in other words: what followed it goes. */
export function EditQuestion({ text, onCancel, onSave }: EditQuestionProps): ReactElement {
  const [draft, setDraft] = useState(text);
  const isChanged = draft.trim() !== "" && draft !== text;
  const save: (event: FormEvent | KeyboardEvent) => void = instead(() => isChanged && onSave(draft.trim()));
  return (
    <form className="edit-question" onSubmit={save}>
      <textarea
        aria-label="Your message"
        autoFocus
        rows={Math.min(8, draft.split("\n").length + 1)}
        value={draft}
        onFocus={({ target }) => target.setSelectionRange(target.value.length, target.value.length)}
        onChange={({ target }) => setDraft(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onCancel();
          if (isSendKey(event)) save(event);
        }}
      />
      <div className="approval-buttons">
        <Button type="submit" className="primary" disabled={!isChanged}>
          Send
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
