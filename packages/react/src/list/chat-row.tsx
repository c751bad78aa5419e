import { type ReactElement, useState } from "react";
import { Icon } from "../icon.tsx";
import type { ChatSummary } from "../chat-server.ts";
import { describeChat, describeProblem } from "../words.ts";

export interface ChatRowProps {
  readonly chat: ChatSummary;
  readonly now: number;
  readonly isCurrent: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => Promise<void>;
  readonly onDelete: () => Promise<void>;
}

/** One conversation: its title, state and age, and what can be done with it. */
export function ChatRow({ chat, now, isCurrent, onOpen, onRename, onDelete }: ChatRowProps): ReactElement {
  const [mode, setMode] = useState<"shown" | "renamed" | "deleted">("shown");
  const [draft, setDraft] = useState("");
  const [problem, setProblem] = useState<string>();
  const { title = "New chat", updatedAt } = chat;
  const standing = describeChat(chat);
  const attempt = (work: Promise<void>): void => {
    setProblem(undefined);
    setMode("shown");
    work.catch((error: unknown) => setProblem(error instanceof Error ? describeProblem(error) : String(error)));
  };

  const rename = (): void => {
    setDraft(title);
    setMode("renamed");
  };
  const save = (): void => {
    const next = draft.trim();
    if (next === "" || next === title) setMode("shown");
    else attempt(onRename(next));
  };

  if (mode === "renamed")
    return (
      <li className="row is-edited">
        <form
          className="rename"
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <input
            aria-label="Title"
            autoFocus
            maxLength={200}
            value={draft}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setDraft(event.target.value)}
            onBlur={save}
            onKeyDown={(event) => event.key === "Escape" && setMode("shown")}
          />
        </form>
      </li>
    );
  if (mode === "deleted")
    return (
      <li className="row is-edited" onKeyDown={(event) => event.key === "Escape" && setMode("shown")}>
        <span className="row-question">Delete this chat?</span>
        <button type="button" className="small danger" autoFocus onClick={() => attempt(onDelete())}>
          Delete
        </button>
        <button type="button" className="small" onClick={() => setMode("shown")}>
          Keep
        </button>
      </li>
    );
  return (
    <li className="row">
      <button type="button" className="row-open" aria-current={isCurrent ? "page" : undefined} onClick={onOpen}>
        <span className="row-title" dir="auto" title={title}>
          {title}
        </span>
        <span className="row-facts">
          {standing !== undefined && <span className={`state state-${standing.kind}`}>{standing.text}</span>}
          <time dateTime={new Date(updatedAt).toISOString()}>{ageOf(now - updatedAt)}</time>
        </span>
      </button>
      {problem !== undefined && (
        <p className="list-empty is-failed" role="alert">
          {problem}
        </p>
      )}
      <span className="row-tools">
        <button type="button" className="icon" aria-label={`Rename ${title}`} onClick={rename}>
          <Icon name="pencil" />
        </button>
        <button type="button" className="icon" aria-label={`Delete ${title}`} onClick={() => setMode("deleted")}>
          <Icon name="trash" />
        </button>
      </span>
    </li>
  );
}

const STEPS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
] as const;

function ageOf(ms: number): string {
  const step = STEPS.find(([length]) => ms >= length);
  return step === undefined ? "now" : `${Math.floor(ms / step[0])} ${step[1]}`;
}
