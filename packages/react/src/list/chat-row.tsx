import { type ReactElement, useState } from "react";
import { isSendKey } from "../browser.ts";
import { Button, IconButton } from "../button.tsx";
import type { ChatSummary } from "../chat-server.ts";
import { describeProblem, durationOf } from "../words.ts";
import type { Chats } from "./use-chats.ts";

export interface ChatRowProps {
  readonly chat: ChatSummary;
  readonly chats: Chats;
  readonly now: number;
  readonly isCurrent: boolean;
  readonly onOpen: (id?: string) => void;
}

/** One conversation: its title, state and age, and what can be done with it. */
export function ChatRow({ chat, chats, now, isCurrent, onOpen }: ChatRowProps): ReactElement {
  const [mode, setMode] = useState<"shown" | "renamed" | "deleted">("shown");
  const [problem, setProblem] = useState<string>();
  const { id, title = "New chat", state, updatedAt } = chat;
  const age = now - updatedAt;
  const attempt = (work?: Promise<void>): void => {
    setProblem(undefined);
    setMode("shown");
    work?.catch((error: unknown) => setProblem(describeProblem(error)));
  };
  const save = (text: string): void => attempt(text === "" || text === title ? undefined : chats.rename(id, text));
  const remove = async (): Promise<void> => {
    await chats.remove(id);
    if (isCurrent) onOpen();
  };

  if (mode === "renamed")
    return (
      <li className="row is-edited">
        <input
          className="rename"
          aria-label="Title"
          autoFocus
          maxLength={200}
          defaultValue={title}
          onFocus={({ target }) => target.select()}
          onBlur={({ target }) => save(target.value.trim())}
          onKeyDown={(event) => {
            if (isSendKey(event)) event.currentTarget.blur();
            if (event.key === "Escape") setMode("shown");
          }}
        />
      </li>
    );
  if (mode === "deleted")
    return (
      <li className="row is-edited" onKeyDown={({ key }) => key === "Escape" && setMode("shown")}>
        <span className="row-question">Delete this chat?</span>
        <Button className="small danger" autoFocus onClick={() => attempt(remove())}>
          Delete
        </Button>
        <Button className="small" onClick={() => setMode("shown")}>
          Keep
        </Button>
      </li>
    );
  return (
    <li className="row">
      <Button className="row-open" aria-current={isCurrent ? "page" : undefined} onClick={() => onOpen(id)}>
        <span className="row-title" dir="auto" title={title}>
          {title}
        </span>
        <span className="row-facts">
          {state !== "idle" && <span className={`state state-${state}`}>{STATES[state]}</span>}
          <time dateTime={new Date(updatedAt).toISOString()}>{age < 60_000 ? "now" : durationOf(age, "short")}</time>
        </span>
      </Button>
      {problem !== undefined && (
        <p className="list-empty is-failed" role="alert">
          {problem}
        </p>
      )}
      <span className="row-tools">
        <IconButton icon="pencil" label={`Rename ${title}`} onClick={() => setMode("renamed")} />
        <IconButton icon="trash" label={`Delete ${title}`} onClick={() => setMode("deleted")} />
      </span>
    </li>
  );
}

const STATES = { running: "Answering", waiting: "Needs you", stopped: "Stopped", "cut-off": "Interrupted" } as const;
