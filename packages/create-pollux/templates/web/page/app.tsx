import { useEffect, useState } from "react";
import type { ChatMessage } from "../server/agent.ts";
import { Conversation } from "./conversation.tsx";

interface OpenChat {
  readonly id: string;
  readonly messages: ChatMessage[];
}

/** Shows the conversation whose id is in the address, so that it survives a reload. */
export function App() {
  const [chat, setChat] = useState<OpenChat>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    const open = (): void => {
      const id = location.hash.slice(1);
      if (id === "") return begin();
      loadMessages(id).then(
        (messages) => setChat({ id, messages }),
        (error: unknown) => setProblem(String(error)),
      );
    };
    const begin = (): void => {
      const id = crypto.randomUUID();
      history.replaceState(undefined, "", `#${id}`);
      setChat({ id, messages: [] });
    };
    open();
    addEventListener("hashchange", open);
    return () => removeEventListener("hashchange", open);
  }, []);

  return (
    <>
      <header>
        <h1>my-agent</h1>
        <button type="button" onClick={() => location.assign("#")}>
          New chat
        </button>
      </header>
      {problem === undefined ? undefined : <p className="problem">{problem}</p>}
      {chat === undefined ? undefined : <Conversation key={chat.id} {...chat} />}
    </>
  );
}

async function loadMessages(id: string): Promise<ChatMessage[]> {
  const response = await fetch(`/api/chat/${id}`);
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`The server answered with status ${response.status}.`);
  const { messages } = (await response.json()) as { readonly messages: ChatMessage[] };
  return messages;
}
