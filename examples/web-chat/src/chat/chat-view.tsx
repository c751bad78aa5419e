import { type ReactElement, useEffect, useState } from "react";
import { openChat } from "../place.ts";
import { type ChatSummary, loadChat, type StoredChat } from "../server.ts";
import { Conversation } from "./conversation.tsx";

export interface ChatViewProps {
  readonly id: string;
  /** It has not begun. */
  readonly isNew: boolean;
  /** Its line in the list, as the server has it now. */
  readonly summary: ChatSummary | undefined;
  readonly isOnline: boolean;
  /** It has changed here. */
  readonly onChange: () => Promise<void>;
}

const NEW: StoredChat = { state: "idle", messages: [] };

/** A conversation, once it is loaded. */
export function ChatView({ id, isNew, ...rest }: ChatViewProps): ReactElement {
  const [chat, setChat] = useState<StoredChat | "missing" | undefined>(isNew ? NEW : undefined);
  const isLoaded = chat !== undefined;
  const { isOnline } = rest;

  useEffect(() => {
    if (isLoaded || !isOnline) return;
    let isWanted = true;
    loadChat(id).then(
      (found) => isWanted && setChat(found ?? "missing"),
      () => {}, // the list says that the server can't be reached
    );
    return () => {
      isWanted = false;
    };
  }, [id, isLoaded, isOnline]);

  if (chat === undefined) return <main className="place" aria-busy="true" aria-label="Loading" />;
  if (chat === "missing")
    return (
      <main className="place">
        <p>This conversation does not exist, or was deleted.</p>
        <button type="button" className="primary" onClick={() => openChat()}>
          Start a new one
        </button>
      </main>
    );
  return <Conversation id={id} stored={chat} {...rest} />;
}
