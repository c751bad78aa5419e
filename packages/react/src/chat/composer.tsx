import { type ReactElement, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { instead, isSendKey, recall, remember } from "../browser.ts";
import { IconButton } from "../button.tsx";
import type { Draft } from "../chat-message.ts";
import { Attachment } from "../message/attachment.tsx";
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

/** The box to write in. A draft survives a reload. */
export function Composer(props: ComposerProps): ReactElement {
  const { chatId, attachments, isAnswering, onSay, onStop, children } = props;
  const key = `draft:${chatId}`;
  const [text, setText] = useState(() => recall("sessionStorage", key));
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { files, isReading, problem, add, remove, clear } = attachments;
  const hasDraft = text.trim() !== "" || files.length > 0;
  const isSendable = hasDraft && !isReading;

  useEffect(() => remember("sessionStorage", key, text), [key, text]);
  useEffect(() => {
    // On a phone, focus would open a keyboard over half of the screen.
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
    clear();
    box.current?.focus();
  };

  return (
    <form className="composer" onSubmit={(event) => instead(event, send)}>
      <div className="composer-box">
        {files.length > 0 && (
          <ul className="attached" aria-label="Attachments">
            {files.map(({ url, mediaType, filename = "File" }, index) => (
              <li key={index}>
                <Attachment url={url} mediaType={mediaType.replace("audio/", "")} filename={filename} />
                <IconButton
                  className="remove"
                  icon="close"
                  label={`Remove ${filename}`}
                  onClick={() => remove(index)}
                />
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
          onChange={({ target }) => setText(target.value)}
          onKeyDown={(event) => isSendKey(event) && instead(event, send)}
          onPaste={(event) => {
            const pasted = [...event.clipboardData.files];
            if (pasted.length > 0) instead(event, () => void add(pasted));
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
              void add([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
          <IconButton icon="clip" label="Attach files" onClick={() => picker.current?.click()} />
          <span className={problem === undefined ? "composer-hint" : "composer-hint is-problem"} role="status">
            {problem ?? (isReading && "Reading the files…")}
            {isAnswering && problem === undefined && !isReading && <span className="keys">Esc stops the answer</span>}
          </span>
          {isAnswering && <IconButton className="round is-stop" icon="stop" label="Stop the answer" onClick={onStop} />}
          {(!isAnswering || hasDraft) && (
            <IconButton type="submit" className="round" icon="up" label="Send" disabled={!isSendable} />
          )}
        </div>
      </div>
      <p className="small-print">{children ?? "Answers can be wrong. Check what matters."}</p>
    </form>
  );
}
