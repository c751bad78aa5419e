import { type FormEvent, type KeyboardEvent, type ReactElement, useState } from "react";
import { isSendKey } from "../browser.ts";
import { type AnyChatMessage, textOf } from "../chat-message.ts";
import { Icon } from "../icon.tsx";
import { Attachment } from "./attachment.tsx";

export interface OwnQuestionProps {
  readonly message: AnyChatMessage;
  /** Said to the run that is going, and not heard yet. */
  readonly isQueued: boolean;
  /** Says something else instead; absent where that is not possible. */
  readonly onEdit: ((message: AnyChatMessage, text: string) => void) | undefined;
  /** Sends it again; present when the server does not have it. */
  readonly onSendAgain: (() => void) | undefined;
  /** It was not refused: it is sent again once the server can be reached. */
  readonly isSentByItself: boolean;
}

/** What the person said, which can be said in other words. */
export function OwnQuestion(props: OwnQuestionProps): ReactElement {
  const { message, isQueued, onEdit, onSendAgain, isSentByItself } = props;
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
      <SaidParts parts={message.parts} />
      {isQueued && <span className="note">{queuedNote(message)}</span>}
      {onSendAgain !== undefined && (
        <span className="note is-failed">
          Not sent. {isSentByItself && "It will be sent again when the connection is back. "}
          <button type="button" className="small" onClick={onSendAgain}>
            Send again
          </button>
        </span>
      )}
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
          if (isSendKey(event)) save(event);
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

function queuedNote({ metadata }: AnyChatMessage): string {
  const waitsFor = metadata?.waitsFor ?? [];
  return waitsFor.length === 0
    ? "Will be read after this step"
    : `Will be read when ${waitsFor.join(" and ")} has answered`;
}

export interface SaidPartsProps {
  readonly parts: readonly {
    readonly type: string;
    readonly text?: string;
    readonly url?: string;
    readonly mediaType?: string;
    readonly filename?: string;
  }[];
}

/** What a person said: files, then words. */
export function SaidParts({ parts }: SaidPartsProps): ReactElement {
  const texts = parts.flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []));
  return (
    <>
      {parts.map(({ type, url, mediaType, filename }, index) =>
        type === "file" && url !== undefined ? (
          <Attachment key={index} url={url} mediaType={mediaType} filename={filename} />
        ) : null,
      )}
      {texts.length > 0 && (
        <div className="bubble" dir="auto">
          {texts.join("\n")}
        </div>
      )}
    </>
  );
}
