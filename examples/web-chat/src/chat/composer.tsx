import { type KeyboardEvent, type ReactElement, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "../icon.tsx";
import type { Attachments } from "./use-attachments.ts";
import type { Said } from "./use-conversation.ts";

export interface ComposerProps {
  readonly chatId: string;
  readonly attachments: Attachments;
  readonly isAnswering: boolean;
  readonly onSay: (said: Said) => void;
  readonly onStop: () => void;
}

/** The box to write in. What was written survives a reload. */
export function Composer(props: ComposerProps): ReactElement {
  const { chatId, attachments, isAnswering, onSay, onStop } = props;
  const key = `draft:${chatId}`;
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? "");
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { files, problem } = attachments;
  const isSendable = text.trim() !== "" || files.length > 0;

  useEffect(() => {
    if (text === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  }, [key, text]);
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
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
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
          <ul className="attached" aria-label="Images">
            {files.map(({ url, filename = "Image" }, index) => (
              <li key={index}>
                <img src={url} alt={filename} />
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
          aria-label="Message"
          placeholder={isAnswering ? "Add something to the answer…" : "Ask anything"}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
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
            accept="image/png,image/jpeg,image/webp,image/gif,image/heic,image/heif"
            onChange={(event) => {
              void attachments.add([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
          <button type="button" className="icon" aria-label="Attach images" onClick={() => picker.current?.click()}>
            <Icon name="image" />
          </button>
          <span className="composer-hint">{problem ?? (isAnswering ? "Esc stops the answer" : "")}</span>
          {isAnswering && (
            <button type="button" className="round is-stop" aria-label="Stop the answer" onClick={onStop}>
              <Icon name="stop" />
            </button>
          )}
          {(!isAnswering || isSendable) && (
            <button type="submit" className="round" aria-label="Send" disabled={!isSendable}>
              <Icon name="up" />
            </button>
          )}
        </div>
      </div>
      <p className="small-print">Answers can be wrong. Check what matters.</p>
    </form>
  );
}
