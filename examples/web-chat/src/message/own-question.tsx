import { type FormEvent, type KeyboardEvent, type ReactElement, useState } from "react";
import type { ChatMessage } from "../../server/agent.ts";
import { Icon } from "../icon.tsx";
import { Question } from "./question.tsx";

export interface OwnQuestionProps {
  readonly message: ChatMessage;
  /** Said to the run that is going, and not heard yet. */
  readonly isQueued: boolean;
  /** Says something else instead; absent where that is not possible. */
  readonly onEdit: ((message: ChatMessage, text: string) => void) | undefined;
}

/** What the person said, which can be said in other words. */
export function OwnQuestion({ message, isQueued, onEdit }: OwnQuestionProps): ReactElement {
  const [isEditing, setEditing] = useState(false);
  if (isEditing && onEdit !== undefined)
    return (
      <EditQuestion
        text={textOf(message)}
        onCancel={() => setEditing(false)}
        onSave={(text) => {
          setEditing(false);
          onEdit(message, text);
        }}
      />
    );
  return (
    <article className={isQueued ? "question is-queued" : "question"} aria-label="You">
      <Question parts={message.parts} />
      {isQueued && <span className="queued-note">Will be read after this step</span>}
      {onEdit !== undefined && (
        <button
          type="button"
          className="icon"
          aria-label="Edit message"
          title="Edit message"
          onClick={() => setEditing(true)}
        >
          <Icon name="pencil" />
        </button>
      )}
    </article>
  );
}

interface EditQuestionProps {
  readonly text: string;
  readonly onCancel: () => void;
  readonly onSave: (text: string) => void;
}

function EditQuestion({ text, onCancel, onSave }: EditQuestionProps): ReactElement {
  const [draft, setDraft] = useState(text);
  const isChanged = draft.trim() !== "" && draft !== text;
  const save = (event: FormEvent | KeyboardEvent): void => {
    event.preventDefault();
    if (isChanged) onSave(draft.trim());
  };
  return (
    <form className="edit-question" onSubmit={save}>
      <textarea
        aria-label="Your message"
        autoFocus
        rows={Math.min(8, draft.split("\n").length + 1)}
        value={draft}
        onFocus={({ target }) => target.setSelectionRange(target.value.length, target.value.length)}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onCancel();
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) save(event);
        }}
      />
      <div className="approval-buttons">
        <button type="submit" className="primary" disabled={!isChanged}>
          Send
        </button>
        <button type="button" className="plain" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function textOf({ parts }: ChatMessage): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}
