import type { UIMessage } from "ai";
import { type ReactElement, type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { newId, recall, remember } from "./browser.ts";
import { Button, IconButton } from "./button.tsx";
import type { ConversationProps } from "./chat/conversation.tsx";
import { LoadedConversation } from "./chat/loaded-conversation.tsx";
import { ChatList } from "./list/chat-list.tsx";
import { useChats } from "./list/use-chats.ts";
import { ChatProvider, type ChatProviderProps } from "./settings.tsx";

export interface ChatAppProps<M extends UIMessage = UIMessage>
  extends Omit<ChatProviderProps<M>, "children">, Pick<ConversationProps<M>, "ideas" | "footer" | "body" | "onData"> {
  /** Above the list of conversations, such as a name or a logo. */
  readonly brand?: ReactNode;
}

/** A whole chat page: the list of conversations next to the open one. Its addresses are `/` and `/chat/ID`. */
export function ChatApp<M extends UIMessage = UIMessage>(props: ChatAppProps<M>): ReactElement {
  return (
    <ChatProvider<M> {...props}>
      <Page<M> {...props} />
    </ChatProvider>
  );
}

function Page<M extends UIMessage>({ brand, ideas, footer, body, onData }: ChatAppProps<M>): ReactElement {
  const chats = useChats();
  const current = useChatId();
  // A conversation that has not begun has an id as well, so that its component stays when it begins.
  const [fresh, setFresh] = useState(newId);
  const [isListOpen, setListOpen] = useState(false);
  const [theme, setTheme] = useTheme();
  const summary = chats.list?.find(({ id }) => id === current);
  const other = theme === "dark" ? "light" : "dark";

  const [shown, setShown] = useState(current);
  if (shown !== current) {
    setShown(current);
    // That id may be used up now; the next new conversation gets another.
    if (current !== undefined) setFresh(newId());
  }
  useEffect(() => {
    document.title = current === undefined ? "New chat" : (summary?.title ?? "Chat");
  }, [current, summary?.title]);

  const id = current ?? fresh;
  return (
    <div className={isListOpen ? "app is-list-open" : "app"}>
      <a className="skip" href="#composer">
        Skip to the message box
      </a>
      <div id="list" className="aside">
        <ChatList chats={chats} current={current} onOpen={openChat} onLeave={() => setListOpen(false)} brand={brand} />
      </div>
      <Button className="scrim" aria-label="Close the list" tabIndex={-1} onClick={() => setListOpen(false)} />
      <div className="main">
        <header className="head">
          <IconButton
            className="icon head-menu"
            icon="menu"
            label="Conversations"
            aria-expanded={isListOpen}
            aria-controls="list"
            onClick={() => setListOpen(!isListOpen)}
          />
          <h1 className="head-title" dir="auto">
            {summary?.title ?? "New chat"}
          </h1>
          {!chats.isOnline && (
            <span className="offline" role="status">
              Offline. Reconnecting…
            </span>
          )}
          <IconButton
            icon={theme === "dark" ? "sun" : "moon"}
            label={`Use the ${other} theme`}
            onClick={() => setTheme(other)}
          />
        </header>
        <LoadedConversation<M>
          key={id}
          id={id}
          isNew={current === undefined}
          summary={summary}
          isOnline={chats.isOnline}
          onChange={chats.refresh}
          onSay={() => openChat(id)}
          onLeave={() => openChat(undefined)}
          {...{ ideas, footer, body, onData }}
        />
      </div>
    </div>
  );
}

/** The conversation that the address names; undefined for a new one. */
function useChatId(): string | undefined {
  const path = useSyncExternalStore(
    subscribe,
    () => location.pathname,
    () => "/",
  );
  return path.startsWith("/chat/") ? path.slice("/chat/".length) : undefined;
}

function subscribe(listen: () => void): () => void {
  addEventListener("popstate", listen);
  return () => removeEventListener("popstate", listen);
}

/** Goes to a conversation, or to a new one. */
function openChat(id: string | undefined): void {
  const path = id === undefined ? "/" : `/chat/${id}`;
  if (path === location.pathname) return;
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** The theme that was chosen here; otherwise the one that the system prefers. */
function useTheme(): [theme: string, choose: (theme: string) => void] {
  const [theme, setTheme] = useState(
    () => recall("localStorage", "theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  );
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const choose = (chosen: string): void => {
    remember("localStorage", "theme", chosen);
    setTheme(chosen);
  };
  return [theme, choose];
}
