import { type ReactElement, type ReactNode, useState } from "react";
import { instead, useNow } from "../browser.ts";
import { Button } from "../button.tsx";
import { Icon } from "../icon.tsx";
import { describeProblem } from "../words.ts";
import { ChatRow } from "./chat-row.tsx";
import type { Chats } from "./use-chats.ts";

export interface ChatListProps {
  readonly chats: Chats;
  /** Id of the conversation that is open. */
  readonly current: string | undefined;
  /** A conversation was chosen, or a new one. */
  readonly onOpen: (id: string | undefined) => void;
  /** The list is to close, where it covers the conversation. */
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
  // Escape would stop the answer.
  const leave = instead(() => onLeave?.());
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
