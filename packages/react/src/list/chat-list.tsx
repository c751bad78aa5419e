import { type ReactElement, type ReactNode, useEffect, useState } from "react";
import { instead } from "../browser.ts";
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
  const now = useNow();
  const [query, setQuery] = useState("");
  const { list = [], problem } = chats;
  const words = query.toLowerCase().split(/\s+/);
  const found = list.filter(({ title = "" }) => words.every((word) => title.toLowerCase().includes(word)));
  const open = (id?: string): void => {
    onOpen(id);
    onLeave?.();
  };
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
      {problem !== undefined && <p className="list-empty is-failed">{describeProblem(problem)}</p>}
      {chats.list?.length === 0 && <p className="list-empty">Your conversations will be listed here.</p>}
      {list.length > 0 && found.length === 0 && (
        <p className="list-empty">No conversation has these words in its title.</p>
      )}
      <ul className="list-rows">
        {found.map((chat) => (
          <ChatRow
            key={chat.id}
            chat={chat}
            now={now}
            isCurrent={chat.id === current}
            onOpen={() => open(chat.id)}
            onRename={async (title) => await chats.rename(chat.id, title)}
            onDelete={async () => {
              await chats.remove(chat.id);
              if (chat.id === current) onOpen(undefined);
            }}
          />
        ))}
      </ul>
    </nav>
  );
}

/** The time, as exact as ages are shown. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
