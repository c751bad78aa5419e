import { type FormEvent, type KeyboardEvent, memo, type MemoExoticComponent, type ReactElement, useState } from "react";
import { instead, isSendKey } from "../browser.ts";
import { Button, IconButton } from "../button.tsx";
import { textOf } from "../chat-message.ts";
import { Answer, type AnswerProps } from "./answer.tsx";
import { SaidParts } from "./attachment.tsx";

export interface MessageViewProps extends AnswerProps {
  /** A message of the person's that can be edited now. */
  readonly isEditable?: boolean | undefined;
  /** Sent to the current run, which hasn't read it yet. */
  readonly isQueued?: boolean | undefined;
  /** The server does not have it. */
  readonly isUnsent?: boolean | undefined;
}

/** One message. Only changed messages are drawn again. */
export const MessageView: MemoExoticComponent<(props: MessageViewProps) => ReactElement> = memo(function MessageView(
  props: MessageViewProps,
): ReactElement {
  return props.message.role === "assistant" ? <Answer {...props} /> : <Question {...props} />;
});

/** The person's message, which they can edit. */
function Question({ message, actions, isEditable, isQueued, isUnsent, activity }: MessageViewProps): ReactElement {
  const [isEditing, setEditing] = useState(false);
  const { waitsFor } = message.metadata ?? {};
  const answered =
    waitsFor && `${waitsFor.join(" and ") || "somebody"} ${waitsFor.length > 1 ? "have" : "has"} answered`;
  if (isEditing)
    return (
      <EditQuestion
        text={textOf(message)}
        isSendable={isEditable === true}
        onCancel={() => setEditing(false)}
        onSave={(text) => {
          setEditing(false);
          actions.edit(message, text);
        }}
      />
    );
  return (
    <article className={isQueued ? "question is-queued" : "question"} aria-label="You">
      <SaidParts parts={message.parts} />
      {isQueued && <span className="note">Will be read {answered ? `when ${answered}` : "after this step"}</span>}
      {isUnsent && (
        <span className="note is-failed">
          Not sent. {activity === "cut-off" && "It will be sent again when the connection is back. "}
          <Button className="small" onClick={actions.sendAgain} label="Send again" />
        </span>
      )}
      {isEditable && <IconButton icon="pencil" label="Edit message" onClick={() => setEditing(true)} />}
    </article>
  );
}

interface EditQuestionProps {
  readonly text: string;
  /** False while an answer is being written: the draft stays until it ends. */
  readonly isSendable: boolean;
  readonly onCancel: () => void;
  readonly onSave: (text: string) => void;
}

/** Edits a question: what followed it is removed when the edit is sent. */
function EditQuestion({ text, isSendable, onCancel, onSave }: EditQuestionProps): ReactElement {
  const [draft, setDraft] = useState(text);
  const canSend = isSendable && draft.trim() !== "" && draft !== text;
  const save = (event: FormEvent | KeyboardEvent): void => instead(event, () => canSend && onSave(draft.trim()));
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
        <Button type="submit" className="primary" disabled={!canSend} label="Send" />
        <Button onClick={onCancel} label="Cancel" />
      </div>
    </form>
  );
}
