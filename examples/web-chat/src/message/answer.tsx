import { type ReactElement, useState } from "react";
import type { ChatMessage } from "../../server/agent.ts";
import type { CallAnswer } from "../chat/use-conversation.ts";
import { Icon } from "../icon.tsx";
import { Markdown } from "./markdown.tsx";
import { Picture } from "./picture.tsx";
import { Question } from "./question.tsx";
import { SearchSuggestions } from "./search-suggestions.tsx";
import { Sound } from "./sound.tsx";
import { Sources, sourcesOf } from "./sources.tsx";
import { isCall, ToolCard } from "./tool-card.tsx";

type Part = ChatMessage["parts"][number];

export interface AnswerProps {
  readonly message: ChatMessage;
  readonly isLast?: boolean;
  readonly isAnswering?: boolean;
  readonly onDecide?: (approvalId: string, approved: boolean) => void;
  readonly onAnswer?: (answer: CallAnswer) => Promise<string | undefined>;
  readonly onContinue?: () => void;
  readonly onRegenerate?: () => void;
}

/** All that the agent did for one question. */
export function Answer(props: AnswerProps): ReactElement {
  const { message, isLast = false, isAnswering = false, onRegenerate, onContinue } = props;
  const { metadata, parts } = message;
  const isOpen = isLast && isAnswering;
  const sources = sourcesOf(message);
  const text = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
  return (
    <article className="answer" aria-label="Pollux" aria-busy={isOpen}>
      {parts.map((part, index) => (
        <AnswerPart
          key={keyOf(part, index)}
          part={part}
          isOpen={isOpen}
          isFollowed={parts.slice(index + 1).some(({ type }) => type !== "step-start")}
          {...props}
        />
      ))}
      {isOpen && !parts.some(isShown) && <p className="thinking">Thinking…</p>}
      {sources.length > 0 && <Sources messageId={message.id} sources={sources} />}
      {!isOpen && <Ending message={message} onContinue={isLast && canContinue(message) ? onContinue : undefined} />}
      {!isOpen && metadata?.state !== "waiting" && (
        <footer className="answer-tools">
          {text !== "" && <CopyButton text={text} />}
          {isLast && (
            <button type="button" className="icon" aria-label="Regenerate" title="Regenerate" onClick={onRegenerate}>
              <Icon name="again" />
            </button>
          )}
        </footer>
      )}
    </article>
  );
}

interface AnswerPartProps extends AnswerProps {
  readonly part: Part;
  readonly isOpen: boolean;
  readonly isFollowed: boolean;
}

function AnswerPart(props: AnswerPartProps): ReactElement | null {
  const { message, part, isOpen, isFollowed, onDecide, onAnswer } = props;
  if (isCall(part)) {
    const { toolCallId } = part;
    const asked = message.metadata?.pending?.find((one) => one.toolCallId === toolCallId)?.question;
    return <ToolCard call={part} isOpen={isOpen} asked={asked} onDecide={onDecide} onAnswer={onAnswer} />;
  }
  switch (part.type) {
    case "text":
      return (
        <Markdown
          text={part.text}
          messageId={message.id}
          citations={part.providerMetadata?.pollux.citations ?? []}
          isWriting={isOpen && !isFollowed}
        />
      );
    case "reasoning":
      return <Thought text={part.text} isOpen={isOpen && !isFollowed} />;
    case "file":
      if (part.mediaType.startsWith("image/")) return <Picture url={part.url} title="Image from the model" />;
      if (part.mediaType.startsWith("audio/")) return <Sound url={part.url} title="Speech from the model" />;
      return <p className="note">A file of type {part.mediaType}</p>;
    case "data-thought-file":
      return null;
    case "data-steering":
      return (
        <div className="question is-steering" role="group" aria-label="You, in between">
          <Question parts={part.data.parts} />
        </div>
      );
    case "data-search-suggestions":
      return <SearchSuggestions html={part.data.html} />;
    case "data-handoff":
      return <p className="note">{part.data.agent} answers from here on.</p>;
    case "data-compaction":
      return <p className="note">Earlier messages were summarized for the model.</p>;
    case "data-interruption":
      // At the end of an answer its ending says so.
      return !isFollowed ? null : <p className="note">The answer broke off here.</p>;
    case "data-unknown":
      return <p className="note">Something this page can’t show yet.</p>;
    default:
      return null;
  }
}

function Thought({ text, isOpen }: { readonly text: string; readonly isOpen: boolean }): ReactElement {
  // The summary's own title, where it has one, says more than "Thoughts".
  const title = [...text.matchAll(/^\*\*(.+)\*\*$/gm)].at(-1)?.[1];
  return (
    <details className={isOpen ? "thought is-open" : "thought"}>
      <summary>
        <Icon name="chevron" />
        <span>{isOpen ? (title ?? "Thinking…") : "Thoughts"}</span>
      </summary>
      <Markdown text={text} messageId="" citations={[]} />
    </details>
  );
}

const LIMITS: { readonly [state: string]: string } = {
  stopped: "Stopped.",
  failed: "The answer failed.",
  interrupted: "The server stopped in the middle of this answer.",
};

type Metadata = NonNullable<ChatMessage["metadata"]>;

interface EndingProps {
  readonly message: ChatMessage;
  readonly onContinue: (() => void) | undefined;
}

/** Why there is no more, unless all was said. */
function Ending({ message: { metadata }, onContinue }: EndingProps): ReactElement | null {
  const { state = "complete", error } = metadata ?? {};
  const words = LIMITS[state];
  if (words === undefined) return null;
  const isFailed = state === "failed";
  const why = whyStopped(metadata ?? {}) ?? (isFailed ? error?.message : undefined);
  const more = why === undefined ? "" : ` ${why}`;
  return (
    <div className="ending">
      <p className={isFailed ? "note is-failed" : "note"}>{`${words}${more}`}</p>
      {onContinue !== undefined && (
        <button type="button" className="small" onClick={onContinue}>
          Continue
        </button>
      )}
    </div>
  );
}

/** The limit or the guardrail that ended an answer, in words. */
function whyStopped({ stopReason, limit, limitScope, guardrail }: Metadata): string | undefined {
  if (stopReason === "guardrail") return guardrail?.message ?? "This is not allowed here.";
  if (limit === undefined) return undefined;
  if (limitScope === "owner") return "Your spending limit is used up.";
  return `${limitScope === "session" ? "This conversation" : "It"} reached the limit of ${limit}.`;
}

/** True for a run that the server can resume where it ended. */
function canContinue({ metadata }: ChatMessage): boolean {
  const { state, stopReason = "", limit, limitScope } = metadata ?? {};
  // The time of a run is used up for good, and so is what a conversation may use.
  const isUsedUp = limit === "wallTimeMs" || limitScope === "session";
  return state === "interrupted" || (["failed", "aborted", "limit"].includes(stopReason) && !isUsedUp);
}

function CopyButton({ text }: { readonly text: string }): ReactElement {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button
      type="button"
      className="icon"
      aria-label={isCopied ? "Copied" : "Copy"}
      title="Copy"
      onClick={() => void copy()}
    >
      <Icon name={isCopied ? "check" : "copy"} />
    </button>
  );
}

function isShown({ type }: Part): boolean {
  return type !== "step-start" && !type.startsWith("source-");
}

function keyOf(part: Part, index: number): string {
  return isCall(part) ? part.toolCallId : `${part.type}:${index}`;
}
