import { type ReactElement, useEffect, useState } from "react";
import { ChatView } from "./chat/chat-view.tsx";
import { Icon } from "./icon.tsx";
import { ChatList } from "./list/chat-list.tsx";
import { useChats } from "./list/use-chats.ts";
import { useChatId } from "./place.ts";
import { chooseTheme, readTheme } from "./theme.ts";

/** The list of conversations beside the one that is open. */
export function App(): ReactElement {
  const chats = useChats();
  const current = useChatId();
  // A conversation that has not begun has an id as well, so that nothing moves when it begins.
  const [fresh, setFresh] = useState(() => crypto.randomUUID());
  const [isListOpen, setListOpen] = useState(false);
  const [theme, setTheme] = useState(readTheme);
  const summary = chats.list?.find(({ id }) => id === current);

  const [shown, setShown] = useState(current);
  if (shown !== current) {
    setShown(current);
    // That id may be used up now; the next new conversation gets another.
    if (current !== undefined) setFresh(crypto.randomUUID());
  }
  useEffect(() => {
    document.title = current === undefined ? "New chat" : (summary?.title ?? "Chat");
  }, [current, summary?.title]);

  const other = theme === "dark" ? "light" : "dark";
  return (
    <div className={isListOpen ? "app is-list-open" : "app"}>
      <a className="skip" href="#composer">
        Skip to the message box
      </a>
      <div id="list" className="aside">
        <ChatList chats={chats} current={current} onLeave={() => setListOpen(false)} />
      </div>
      <button
        type="button"
        className="scrim"
        aria-label="Close the list"
        tabIndex={-1}
        onClick={() => setListOpen(false)}
      />
      <div className="main">
        <header className="head">
          <button
            type="button"
            className="icon head-menu"
            aria-label="Conversations"
            aria-expanded={isListOpen}
            aria-controls="list"
            onClick={() => setListOpen(!isListOpen)}
          >
            <Icon name="menu" />
          </button>
          <h1 className="head-title">{summary?.title ?? "New chat"}</h1>
          {!chats.isOnline && (
            <span className="offline" role="status">
              Offline. Reconnecting…
            </span>
          )}
          <button
            type="button"
            className="icon"
            aria-label={`Use the ${other} theme`}
            onClick={() => {
              chooseTheme(other);
              setTheme(other);
            }}
          >
            <Icon name={theme === "dark" ? "sun" : "moon"} />
          </button>
        </header>
        <ChatView
          key={current ?? fresh}
          id={current ?? fresh}
          isNew={current === undefined}
          summary={summary}
          isOnline={chats.isOnline}
          onChange={chats.refresh}
        />
      </div>
    </div>
  );
}
