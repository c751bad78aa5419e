import type { UIMessage } from "ai";
import { type DragEvent, type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import { useStickToBottom } from "use-stick-to-bottom";
import { Button, IconButton } from "../button.tsx";
import { type AnyChatMessage, type Draft, textOf } from "../chat-message.ts";
import { Waiting } from "../message/answer.tsx";
import { MessageView } from "../message/message-view.tsx";
import { describeProblem, describeWait } from "../words.ts";
import { Composer } from "./composer.tsx";
import { RetryNote } from "./retry-note.tsx";
import { useAttachments } from "./use-attachments.ts";
import { type ConversationOptions, type LiveConversation, useConversation } from "./use-conversation.ts";
import { useLatest } from "./use-following.ts";

/** A suggested question in an empty conversation: its text, with a short title. */
export interface Idea {
  readonly title: string;
  readonly text: string;
}

export interface ConversationProps<M = AnyChatMessage> extends ConversationOptions<M> {
  /** What an empty conversation offers to ask. */
  readonly ideas?: readonly Idea[] | undefined;
  /** Called before a message is sent. */
  readonly onSay?: ((draft: Draft) => void) | undefined;
  /** Below the box to write in. */
  readonly footer?: ReactNode;
  /** For `perRun` of the handler, with each message. */
  readonly body?: object | undefined;
}

/** A conversation: its messages, and the box to write in. Give it its id as `key`: it can't change to another conversation. */
export function Conversation<M extends UIMessage>(props: ConversationProps<M>): ReactElement {
  const { id, ideas, onSay, footer, body } = props;
  const live = useConversation<M>(props);
  const { queued, isAnswering, problem, stop } = live;
  // The parts of any agent have the same form.
  const messages = live.messages as unknown as readonly AnyChatMessage[];
  const attachments = useAttachments();
  // The end of the messages stays in view, unless the reader has scrolled away from it.
  const { scrollRef, contentRef, isAtBottom, scrollToBottom, stopScroll } = useStickToBottom({
    initial: "instant",
    resize: "instant",
  });
  const toEnd = (): void => void scrollToBottom("instant");
  const [isDropTarget, setDropTarget] = useState(false);
  const last = messages.at(-1);
  const isEmpty = messages.length === 0;
  const lastQuestion = messages.findLastIndex(({ role }) => role === "user");
  const actions = useActions(live);
  const wait = isAnswering && !live.isCutOff ? live.wait : undefined;
  const doing = wait !== undefined ? "waiting" : live.isChecking ? "checking" : isAnswering ? "writing" : undefined;
  const activity = live.isCutOff ? "cut-off" : doing;

  useEffect(() => {
    if (!isAnswering) return;
    const onKey = ({ key, isComposing, defaultPrevented }: KeyboardEvent): void => {
      if (key === "Escape" && !isComposing && !defaultPrevented) stop();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [isAnswering, stop]);

  const say = (draft: Draft): void => {
    onSay?.(draft);
    live.say(draft, body);
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
      onDragLeave={({ currentTarget, relatedTarget }) =>
        // Not when the pointer moves onto something inside.
        !(relatedTarget instanceof Node && currentTarget.contains(relatedTarget)) && setDropTarget(false)
      }
      onDrop={(event) => {
        drag(event, false);
        if (event.dataTransfer.files.length > 0) void attachments.add([...event.dataTransfer.files]);
      }}
    >
      <div
        className="scroll"
        ref={scrollRef}
        tabIndex={isEmpty ? undefined : 0}
        role="log"
        aria-live="off"
        aria-label="Messages"
        // Browsers scroll smoothly, and text that arrives meanwhile would pull the view back.
        onKeyDown={({ key }) => ["ArrowUp", "PageUp", "Home"].includes(key) && stopScroll()}
        // A card or thoughts that are opened must stay in place.
        onClickCapture={({ target }) => target instanceof Element && target.closest("summary") !== null && stopScroll()}
      >
        <div className="column" ref={contentRef}>
          {isEmpty && <Welcome ideas={ideas} onAsk={(text) => say({ text, files: [] })} />}
          {messages.map((message, index) => (
            <MessageView
              // The server renames a question that this page sent; its row, with a draft in it, stays.
              key={message.role === "user" ? index : message.id}
              message={message}
              isLast={message === last}
              isEditable={index === lastQuestion && !isAnswering && live.unsent !== message.id}
              isUnsent={live.unsent === message.id}
              activity={message === last ? activity : undefined}
              actions={actions}
            />
          ))}
          {wait !== undefined && <RetryNote key={wait.until} wait={wait} />}
          {last?.role === "user" && live.unsent === undefined && <Waiting activity={activity} />}
          {queued.map((message) => (
            // As above.
            <MessageView key={message.id} message={message as unknown as AnyChatMessage} isQueued actions={actions} />
          ))}
          {problem !== undefined && (
            <div className="problem" role="alert">
              <span>{describeProblem(problem)}</span>
              <Button className="small" onClick={live.dismissProblem} label="Dismiss" />
            </div>
          )}
        </div>
      </div>
      {!isAtBottom && <IconButton className="to-end" icon="down" label="Go to the last message" onClick={toEnd} />}
      <Composer chatId={id} attachments={attachments} isAnswering={isAnswering} onSay={say} onStop={stop}>
        {footer}
      </Composer>
      <Announcer last={last} isAnswering={isAnswering} wait={wait} />
    </main>
  );
}

interface WelcomeProps extends Pick<ConversationProps, "ideas"> {
  readonly onAsk: (text: string) => void;
}

/** What a new conversation shows. */
function Welcome({ ideas, onAsk }: WelcomeProps): ReactElement {
  return (
    <div className="welcome">
      <h2>What can I do for you?</h2>
      <div className="ideas">
        {ideas?.map(({ title, text }) => (
          <Button key={title} className="idea" onClick={() => onAsk(text)}>
            <span className="idea-title">{title}</span>
            <span className="idea-text">{text}</span>
          </Button>
        ))}
      </div>
    </div>
  );
}

interface AnnouncerProps extends Pick<LiveConversation, "isAnswering" | "wait"> {
  readonly last: AnyChatMessage | undefined;
}

/** Tells screen readers when an answer begins, and its text when it ends: not every word as it arrives. */
function Announcer({ last, isAnswering, wait }: AnnouncerProps): ReactElement {
  const [announced, setAnnounced] = useState("");
  const wasAnswering = useRef(false);
  useEffect(() => {
    if (isAnswering === wasAnswering.current) return;
    wasAnswering.current = isAnswering;
    setAnnounced(isAnswering ? "Answering" : endOf(last));
  }, [isAnswering, last]);
  return (
    <div className="unseen" role="status">
      {wait === undefined ? announced : describeWait(wait.delayMs)}
    </div>
  );
}

function endOf(message: AnyChatMessage | undefined): string {
  if (message?.role !== "assistant") return "";
  const waiting = message.parts.filter((part) => "state" in part && part.state === "approval-requested").length;
  if (waiting > 0) return `${waiting === 1 ? "A tool call needs" : `${waiting} tool calls need`} your approval`;
  if (message.metadata?.state === "failed") return "The answer failed";
  return `${message.metadata?.state === "stopped" ? "Stopped" : "Answer"}: ${textOf(message)}`;
}

/**
 * What can be done with a message. The same object for as long as the conversation is shown, so that nothing is drawn
 * again.
 */
export interface MessageActions extends Pick<
  LiveConversation,
  "decide" | "answer" | "stop" | "resume" | "regenerate" | "edit" | "sendAgain"
> {}

function useActions<M extends UIMessage>(live: LiveConversation<M>): MessageActions {
  // It is called with its own messages only.
  const latest = useLatest(live as unknown as LiveConversation);
  return useState<MessageActions>(() => ({
    decide: (...args) => latest.current.decide(...args),
    answer: async (...args) => await latest.current.answer(...args),
    stop: () => latest.current.stop(),
    resume: () => latest.current.resume(),
    regenerate: () => latest.current.regenerate(),
    edit: (...args) => latest.current.edit(...args),
    sendAgain: () => latest.current.sendAgain(),
  }))[0];
}
