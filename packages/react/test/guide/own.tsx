import { ChatProvider, type StoredChat, useConversation } from "@pollux/react";
import type { ChatMessage } from "./agent.ts";

function Questions({ stored }: { readonly stored: StoredChat<ChatMessage> }) {
  const { messages, isAnswering, problem, say, stop } = useConversation<ChatMessage>({ id: "chat-1", stored });
  return (
    <section>
      {messages.map(({ id, role, parts }) => (
        <p key={id} className={role}>
          {parts.map((part) => (part.type === "text" ? part.text : ""))}
        </p>
      ))}
      {problem !== undefined && <p role="alert">{problem.message}</p>}
      {isAnswering ? (
        <button onClick={stop}>Stop</button>
      ) : (
        <button onClick={() => say({ text: "What is the weather in Oslo?", files: [] })}>Oslo?</button>
      )}
    </section>
  );
}

export function Page() {
  return (
    <ChatProvider>
      <Questions stored={{ state: "idle", messages: [] }} />
    </ChatProvider>
  );
}
