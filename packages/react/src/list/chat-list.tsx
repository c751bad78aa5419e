import { type KeyboardEvent, type ReactElement, type ReactNode, useState } from "react";
import { instead, isSendKey, useNow } from "../browser.ts";
import { Button, Icon, IconButton } from "../button.tsx";
import type { ChatSummary } from "../chat-server.ts";
import { describeChat, describeProblem, durationOf } from "../words.ts";
import type { Chats } from "./use-chats.ts";

export interface ChatListProps {
  readonly chats: Chats;
  /** Id of the conversation that is open. */
  readonly current: string | undefined;
  /** A conversation was chosen, or a new one. */
  readonly onOpen: (id: string | undefined) => void;
  /** Called to close the list if it covers the conversation. */
  readonly onLeave?: (() => void) | undefined;
  /** Above the list. @defaultValue nothing */
  readonly brand?: ReactNode;
}

/** The conversations, the most recent first, and a search in their titles. */
export function ChatList({ chats, current, onOpen, onLeave, brand }: ChatListProps): ReactElement {
  const now = useNow(15_000);
  const [query, setQuery] = useState("");
  const { list = [], problem } = chats;
  const words = query.toLowerCase().split(/\s+/);
  const found = list.filter(({ title = "" }) => words.every((word) => title.toLowerCase().includes(word)));
  const open = (id?: string): void => {
    onOpen(id);
    onLeave?.();
  };
  const note =
    problem !== undefined
      ? describeProblem(problem)
      : chats.list?.length === 0
        ? "Your conversations will be listed here."
        : list.length > 0 && found.length === 0 && "No conversation has these words in its title.";
  // Otherwise Escape would stop the answer.
  const leave = (event: KeyboardEvent): void => instead(event, () => onLeave?.());
  return (
    <nav className="list" aria-label="Conversations" onKeyDown={(event) => event.key === "Escape" && leave(event)}>
      {brand !== undefined && <div className="list-head">{brand}</div>}
      <Button className="new-chat" onClick={() => open()}>
        <Icon name="plus" /> New chat
      </Button>
      {list.length > 5 && (
        <input
          type="search"
          className="list-search"
          aria-label="Search conversations"
          placeholder="Search"
          value={query}
          onChange={({ target }) => setQuery(target.value)}
        />
      )}
      {note && <p className={problem === undefined ? "list-empty" : "list-empty is-failed"}>{note}</p>}
      <ul className="list-rows">
        {found.map((chat) => (
          <ChatRow key={chat.id} isCurrent={chat.id === current} onOpen={open} {...{ chat, chats, now }} />
        ))}
      </ul>
    </nav>
  );
}

interface ChatRowProps extends Pick<ChatListProps, "chats"> {
  readonly chat: ChatSummary;
  readonly now: number;
  readonly isCurrent: boolean;
  readonly onOpen: (id?: string) => void;
}

/** One conversation: its title, state and age, and what can be done with it. */
function ChatRow({ chat, chats, now, isCurrent, onOpen }: ChatRowProps): ReactElement {
  const [mode, setMode] = useState<"shown" | "renamed" | "deleted">("shown");
  const [problem, setProblem] = useState<string>();
  const { id, title = "New chat", updatedAt } = chat;
  const standing = describeChat(chat);
  const age = now - updatedAt;
  const attempt = (work?: Promise<void>): void => {
    setProblem(undefined);
    setMode("shown");
    work?.catch((error: unknown) => setProblem(describeProblem(error)));
  };
  const save = (text: string): void => attempt(text === "" || text === title ? undefined : chats.rename(id, text));
  const remove = async (): Promise<void> => {
    // First, so that the page does not load a deleted conversation.
    if (isCurrent) onOpen();
    await chats.remove(id);
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
        <Button className="small danger" autoFocus onClick={() => attempt(remove())} label="Delete" />
        <Button className="small" onClick={() => setMode("shown")} label="Keep" />
      </li>
    );
  return (
    <li className="row">
      <Button className="row-open" aria-current={isCurrent ? "page" : undefined} onClick={() => onOpen(id)}>
        <span className="row-title" dir="auto" title={title}>
          {title}
        </span>
        <span className="row-facts">
          {standing !== undefined && <span className={`state state-${standing.kind}`}>{standing.text}</span>}
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
