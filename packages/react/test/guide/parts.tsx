import { ChatList, ChatProvider, LoadedConversation, useChats } from "@pollux/react";
import { Markdown } from "@pollux/react/markdown";
import { useState } from "react";
import type { ChatMessage } from "./agent.ts";

/** The conversations of somebody who is logged in, inside another page. */
export function Support({ token }: { readonly token: string }) {
  return (
    <ChatProvider<ChatMessage>
      api="/api/support"
      headers={{ authorization: `Bearer ${token}` }}
      markdown={Markdown}
      usage={{ currency: "USD" }}
    >
      <Chats />
    </ChatProvider>
  );
}

function Chats() {
  const chats = useChats();
  const [id, setId] = useState("support-1");
  return (
    <div style={{ display: "grid", gridTemplateColumns: "240px 1fr", height: 600 }}>
      <ChatList chats={chats} current={id} onOpen={(chosen) => setId(chosen ?? crypto.randomUUID())} />
      <LoadedConversation<ChatMessage>
        key={id}
        id={id}
        summary={chats.list?.find((chat) => chat.id === id)}
        isOnline={chats.isOnline}
        onChange={chats.refresh}
        footer="Answers come from a model."
      />
    </div>
  );
}
