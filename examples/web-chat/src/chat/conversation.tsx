import { type DragEvent, type ReactElement, useEffect, useState } from "react";
import { Icon } from "../icon.tsx";
import { MessageView } from "../message/message-view.tsx";
import { openChat } from "../place.ts";
import type { ChatSummary, StoredChat } from "../server.ts";
import { Composer } from "./composer.tsx";
import { Announcer } from "./announcer.tsx";
import { useAttachments } from "./use-attachments.ts";
import { type Said, useConversation } from "./use-conversation.ts";
import { useStickToEnd } from "./use-stick-to-end.ts";
import { Welcome } from "./welcome.tsx";

export interface ConversationProps {
  readonly id: string;
  readonly stored: StoredChat;
  readonly summary: ChatSummary | undefined;
  readonly isOnline: boolean;
  readonly onChange: () => Promise<void>;
}

/** The messages, and the box to write in. */
export function Conversation({ id, stored, summary, isOnline, onChange }: ConversationProps): ReactElement {
  const live = useConversation({ id, stored, summary, isOnline, onChange });
  const { messages, queued, isAnswering, problem } = live;
  const attachments = useAttachments();
  const { ref, isAtEnd, toEnd } = useStickToEnd([messages, queued]);
  const [isDropTarget, setDropTarget] = useState(false);
  const isEmpty = messages.length === 0;
  const lastQuestion = messages.findLastIndex(({ role }) => role === "user");

  const { stop } = live;
  useEffect(() => {
    if (!isAnswering) return;
    const onKey = ({ key, defaultPrevented }: KeyboardEvent): void => {
      if (key === "Escape" && !defaultPrevented) stop();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [isAnswering, stop]);

  const say = (said: Said): void => {
    openChat(id, { replace: !isEmpty });
    live.say(said);
    toEnd();
  };
  const drag = (event: DragEvent, isOver: boolean): void => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setDropTarget(isOver);
  };

  return (
    <main
      className={isDropTarget ? "chat is-drop-target" : "chat"}
      onDragOver={(event) => drag(event, true)}
      onDragLeave={(event) => event.currentTarget === event.target && setDropTarget(false)}
      onDrop={(event) => {
        drag(event, false);
        void attachments.add([...event.dataTransfer.files]);
      }}
    >
      <div
        className="scroll"
        ref={ref}
        tabIndex={isEmpty ? undefined : 0}
        role="log"
        aria-live="off"
        aria-label="Messages"
      >
        <div className="column">
          {isEmpty && <Welcome onAsk={(text) => say({ text, files: [] })} />}
          {messages.map((message, index) => (
            <MessageView
              key={message.id}
              message={message}
              isLast={index === messages.length - 1}
              canEdit={index === lastQuestion && !isAnswering}
              isAnswering={isAnswering}
              onDecide={live.decide}
              onAnswer={live.answer}
              onContinue={live.goOn}
              onRegenerate={live.regenerate}
              onEdit={live.edit}
            />
          ))}
          {isAnswering && messages.at(-1)?.role === "user" && <Waiting />}
          {queued.map((message) => (
            <MessageView key={message.id} message={message} isQueued />
          ))}
          {problem !== undefined && (
            <div className="problem" role="alert">
              <span>{problem}</span>
              <button type="button" className="small" onClick={live.dismissProblem}>
                Dismiss
              </button>
            </div>
          )}
        </div>
      </div>
      {!isAtEnd && (
        <button type="button" className="to-end" aria-label="Go to the last message" onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
      <Composer chatId={id} attachments={attachments} isAnswering={isAnswering} onSay={say} onStop={live.stop} />
      <Announcer messages={messages} isAnswering={isAnswering} />
    </main>
  );
}

function Waiting(): ReactElement {
  return (
    <div className="waiting" aria-hidden="true">
      <span />
      <span />
      <span />
    </div>
  );
}
