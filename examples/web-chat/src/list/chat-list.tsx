import { type ReactElement, useEffect, useState } from "react";
import { Icon } from "../icon.tsx";
import { openChat } from "../place.ts";
import type { ChatSummary } from "../server.ts";
import { ChatRow } from "./chat-row.tsx";
import type { Chats } from "./use-chats.ts";

export interface ChatListProps {
  readonly chats: Chats;
  readonly current: string | undefined;
  /** Something was chosen. */
  readonly onLeave: () => void;
}

/** The conversations, the most recent first. */
export function ChatList({ chats, current, onLeave }: ChatListProps): ReactElement {
  const now = useNow();
  const { list } = chats;
  const open = (id?: string): void => {
    openChat(id);
    onLeave();
  };
  return (
    <nav className="list" aria-label="Conversations" onKeyDown={(event) => event.key === "Escape" && onLeave()}>
      <div className="list-head">
        <span className="brand">
          <span className="brand-mark" aria-hidden="true" /> Pollux
        </span>
      </div>
      <button type="button" className="new-chat" onClick={() => open()}>
        <Icon name="plus" /> New chat
      </button>
      {list?.length === 0 && <p className="list-empty">Your conversations will be listed here.</p>}
      <ul className="list-rows">
        {list?.map((chat: ChatSummary) => (
          <ChatRow
            key={chat.id}
            chat={chat}
            now={now}
            isCurrent={chat.id === current}
            onOpen={() => open(chat.id)}
            onRename={async (title) => await chats.rename(chat.id, title)}
            onDelete={async () => {
              await chats.remove(chat.id);
              if (chat.id === current) openChat();
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
