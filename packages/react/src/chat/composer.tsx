import { type ReactElement, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { isSendKey, recall, remember } from "../browser.ts";
import type { Draft } from "../chat-message.ts";
import { Icon } from "../icon.tsx";
import { ACCEPTED, type Attachments } from "./use-attachments.ts";

export interface ComposerProps {
  readonly chatId: string;
  readonly attachments: Attachments;
  readonly isAnswering: boolean;
  readonly onSay: (draft: Draft) => void;
  readonly onStop: () => void;
  /** Below the box. */
  readonly children?: ReactNode;
}

/** The box to write in. What was written survives a reload. */
export function Composer(props: ComposerProps): ReactElement {
  const { chatId, attachments, isAnswering, onSay, onStop, children } = props;
  const key = `draft:${chatId}`;
  const [text, setText] = useState(() => recall("sessionStorage", key));
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { files, isReading, problem } = attachments;
  const hasDraft = text.trim() !== "" || files.length > 0;
  const isSendable = hasDraft && !isReading;

  useEffect(() => remember("sessionStorage", key, text), [key, text]);
  useEffect(() => {
    // A keyboard that covers half of a phone comes only when it is asked for.
    if (matchMedia("(hover: hover)").matches) box.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    current.style.height = "auto";
    current.style.height = `${current.scrollHeight}px`;
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the height follows the text
  }, [text]);

  const send = (): void => {
    if (!isSendable) return;
    onSay({ text: text.trim(), files });
    setText("");
    attachments.clear();
    box.current?.focus();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-box">
        {files.length > 0 && (
          <ul className="attached" aria-label="Attachments">
            {files.map(({ url, mediaType, filename = "File" }, index) => (
              <li key={index}>
                {mediaType.startsWith("image/") ? (
                  <img src={url} alt={filename} />
                ) : (
                  <span className="attached-file">
                    <Icon name="file" />
                    {filename}
                  </span>
                )}
                <button type="button" aria-label={`Remove ${filename}`} onClick={() => attachments.remove(index)}>
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <textarea
          id="composer"
          ref={box}
          rows={1}
          dir="auto"
          aria-label="Message"
          placeholder={isAnswering ? "Add something to the answer…" : "Ask anything"}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (!isSendKey(event)) return;
            event.preventDefault();
            send();
          }}
          onPaste={(event) => {
            const pasted = [...event.clipboardData.files];
            if (pasted.length === 0) return;
            event.preventDefault();
            void attachments.add(pasted);
          }}
        />
        <div className="composer-tools">
          <input
            ref={picker}
            type="file"
            hidden
            multiple
            accept={ACCEPTED}
            onChange={(event) => {
              void attachments.add([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
          <button type="button" className="icon" aria-label="Attach files" onClick={() => picker.current?.click()}>
            <Icon name="clip" />
          </button>
          <span className={problem === undefined ? "composer-hint" : "composer-hint is-problem"} role="status">
            {problem ?? (isReading ? "Reading the files…" : isAnswering ? "Esc stops the answer" : "")}
          </span>
          {isAnswering && (
            <button type="button" className="round is-stop" aria-label="Stop the answer" onClick={onStop}>
              <Icon name="stop" />
            </button>
          )}
          {(!isAnswering || hasDraft) && (
            <button type="submit" className="round" aria-label="Send" disabled={!isSendable}>
              <Icon name="up" />
            </button>
          )}
        </div>
      </div>
      <p className="small-print">{children ?? "Answers can be wrong. Check what matters."}</p>
    </form>
  );
}
