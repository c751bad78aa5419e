import { useChat } from "@ai-sdk/react";
import { stopChat } from "@pollux/web";
import { withoutDiscards } from "@pollux/web/ai-sdk";
import { DefaultChatTransport } from "ai";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { ChatMessage } from "../server/agent.ts";

const transport = new DefaultChatTransport<ChatMessage>({
  api: "/api/chat",
  prepareReconnectToStreamRequest: ({ api, id }) => ({ api: `${api}/${id}/stream?ended` }),
});

interface ConversationProps {
  readonly id: string;
  readonly messages: ChatMessage[];
}

/** One conversation. An answer that is being written goes on here after a reload. */
export function Conversation({ id, messages: stored }: ConversationProps) {
  const { messages, status, error, sendMessage, resumeStream, stop } = useChat<ChatMessage>({
    id,
    messages: stored,
    transport,
    resume: stored.length > 0,
  });
  const [text, setText] = useState("");
  const end = useRef<HTMLDivElement>(null);
  const isAnswering = status === "submitted" || status === "streaming";
  useEffect(() => {
    end.current?.scrollIntoView();
  }, [messages]);
  const last = messages.at(-1);
  const isRestarting = error !== undefined && "statusCode" in error && error.statusCode === 503;
  const isCutOff = error instanceof TypeError || isRestarting;
  useEffect(() => {
    // The network failed or the server restarts: the message is sent again, which runs once, or its answer is read again.
    if (!isCutOff) return;
    const again = (): void =>
      void (last?.role === "user" ? sendMessage({ ...last, messageId: last.id }) : resumeStream());
    const timer = setTimeout(again, 1000);
    return () => clearTimeout(timer);
  }, [isCutOff, status, last, sendMessage, resumeStream]);

  async function stopAnswer(): Promise<void> {
    // The run goes on without the page, so the server has to end it. If there is none, only an old connection is left to close.
    if (!(await stopChat(id))) await stop();
  }

  function send(event: FormEvent): void {
    event.preventDefault();
    if (text.trim() === "" || isAnswering) return;
    void sendMessage({ text });
    setText("");
  }

  return (
    <>
      <main aria-live="polite">
        {messages.length === 0 ? <p className="hint">Try “Roll 3 dice.”</p> : undefined}
        {messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
        {status === "submitted" ? <p className="hint">…</p> : undefined}
        {error === undefined ? undefined : <p className="problem">{isCutOff ? "Connecting again…" : error.message}</p>}
        <div ref={end} />
      </main>
      <form onSubmit={send}>
        <input
          aria-label="Message"
          placeholder="Message"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        {isAnswering ? (
          <button type="button" onClick={() => void stopAnswer()}>
            Stop
          </button>
        ) : (
          <button type="submit">Send</button>
        )}
      </form>
    </>
  );
}

function Message({ message }: { readonly message: ChatMessage }) {
  const { role, parts } = withoutDiscards(message);
  return (
    <article className={role}>
      {parts.map((part, index) => {
        switch (part.type) {
          case "text":
            return <p key={index}>{part.text}</p>;
          case "tool-roll_dice":
            return (
              <p key={index} className="call">
                {part.state === "output-available"
                  ? `Rolled ${part.output.rolls.join(", ")}`
                  : part.state === "output-error"
                    ? part.errorText
                    : "Rolling …"}
              </p>
            );
          default:
            return undefined;
        }
      })}
    </article>
  );
}
