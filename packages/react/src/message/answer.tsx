import { type ReactElement, type ReactNode, useState } from "react";
import { Button, Icon, IconButton } from "../button.tsx";
import { type AnyChatMessage, type AnyPart, isCall, steeredBy, textOf } from "../chat-message.ts";
import type { MessageActions } from "../chat/conversation.tsx";
import { useSettings } from "../settings.tsx";
import { describeEnding, isResumable } from "../words.ts";
import { Attachment, SaidParts } from "./attachment.tsx";
import { Sources } from "./sources.tsx";
import { ToolCard } from "./tool-card.tsx";

export interface AnswerProps {
  readonly message: AnyChatMessage;
  readonly actions: MessageActions;
  readonly isLast?: boolean | undefined;
  /** It is being written; waits for the model's service; is held until guardrails have checked it; or is cut off from the server. */
  readonly activity?: Activity | undefined;
}

type Activity = "writing" | "waiting" | "checking" | "cut-off";

/** All that the agent did for one question. */
export function Answer(props: AnswerProps): ReactElement {
  const { message, actions, isLast = false, activity } = props;
  const { metadata, parts } = message;
  const isOpen = activity !== undefined;
  const text = textOf(message);
  const ending = isOpen ? undefined : describeEnding(message);
  return (
    <article
      className={activity === "cut-off" ? "answer is-cut-off" : "answer"}
      aria-label={metadata?.agent ?? "Answer"}
      aria-busy={isOpen}
    >
      {parts.map((part, index) => (
        <AnswerPart
          key={isCall(part) ? part.toolCallId : `${part.type}:${index}`}
          part={part}
          isOpen={isOpen}
          isFollowed={parts.slice(index + 1).some(({ type }) => type !== "step-start")}
          {...props}
        />
      ))}
      {(activity === "checking" || !parts.some(isShown)) && <Waiting activity={activity} />}
      {activity === "cut-off" && (
        <p className="note is-failed">The connection was lost. The answer continues when it is back.</p>
      )}
      <Sources message={message} />
      {ending !== undefined && (
        <div className="ending">
          <p className={metadata?.state === "failed" ? "note is-failed" : "note"}>{ending}</p>
          {isLast && isResumable(message) && <Button className="small" onClick={actions.resume} label="Continue" />}
        </div>
      )}
      {!isOpen && metadata?.state !== "waiting" && (
        <footer className="answer-tools">
          {text !== "" && <CopyButton text={text} />}
          {isLast && <IconButton icon="again" label="Regenerate" onClick={actions.regenerate} />}
          <Usage message={message} />
        </footer>
      )}
    </article>
  );
}

/** The activity while there is nothing to read yet. */
export function Waiting({ activity }: Pick<AnswerProps, "activity">): ReactNode {
  if (activity !== "writing" && activity !== "checking") return null;
  return <p className="thinking">{activity === "writing" ? "Thinking…" : "Checking the answer…"}</p>;
}

interface AnswerPartProps extends AnswerProps {
  readonly part: AnyPart;
  readonly isOpen: boolean;
  readonly isFollowed: boolean;
}

function AnswerPart({ message, part, isOpen, isFollowed, actions }: AnswerPartProps): ReactNode {
  const { markdown: Markdown } = useSettings();
  if (isCall(part)) {
    const asked = message.metadata?.pending?.find(({ toolCallId }) => toolCallId === part.toolCallId);
    return <ToolCard call={part} isOpen={isOpen} asked={asked} actions={actions} />;
  }
  switch (part.type) {
    case "text":
      return (
        <Markdown
          text={part.text}
          messageId={message.id}
          citations={part.providerMetadata?.pollux.citations ?? NONE}
          isWriting={isOpen && !isFollowed}
          areLinksText={message.metadata?.untrusted === true && message.metadata.private === true}
        />
      );
    case "reasoning":
      return <Thought text={part.text} isOpen={isOpen && !isFollowed} />;
    case "file": {
      const kind = part.mediaType.startsWith("audio/") ? "Speech" : "File";
      return <Attachment {...part} filename={part.filename ?? `${kind} from the model`} />;
    }
    case "reasoning-file":
      return <Attachment {...part} />;
    case "data-thought-file":
      return <Attachment {...part.data} />;
    case "data-steering":
    case "steering-message":
      return (
        <div className="question is-steering" role="group" aria-label="You, during the answer">
          <SaidParts parts={steeredBy(part)} />
        </div>
      );
    case "data-search-suggestions":
      return part.data.html.map((html) => <SearchSuggestions key={html} html={html} />);
    case "data-handoff":
      return <p className="note">{part.data.agent} answers from here on.</p>;
    case "data-compaction":
      return <p className="note">Earlier messages were summarized for the model.</p>;
    case "data-interruption":
      // Otherwise the ending of the answer says so.
      return isFollowed ? <p className="note">The answer broke off here.</p> : null;
    case "data-unknown":
      return <p className="note">Something this page can’t show yet.</p>;
    default:
      return null;
  }
}

const NONE: readonly never[] = [];

/** The chips that Google Search comes with, unchanged. They are HTML of others: no scripts, and no access to the page. */
function SearchSuggestions({ html }: { readonly html: string }): ReactElement {
  return (
    <iframe
      className="suggestions"
      title="Google Search suggestions"
      sandbox="allow-popups allow-popups-to-escape-sandbox"
      srcDoc={`${FRAME}${html}`}
    />
  );
}

/** In the colors of the page, on one line. */
const FRAME =
  '<meta name="color-scheme" content="light dark"><base target="_blank">' +
  "<style>body{margin:0;overflow:auto hidden;white-space:nowrap;font:14px system-ui}</style>";

function Thought({ text, isOpen }: { readonly text: string; readonly isOpen: boolean }): ReactElement {
  const { markdown: Markdown } = useSettings();
  // The summary's own title, where it has one, says more than "Thoughts".
  const title = [...text.matchAll(/^\*\*(.+)\*\*$/gm)].at(-1)?.[1];
  return (
    <details className={isOpen ? "thought is-open" : "thought"}>
      <summary>
        <Icon name="chevron" />
        <span>{isOpen ? (title ?? "Thinking…") : "Thoughts"}</span>
      </summary>
      <Markdown text={text} messageId="" citations={NONE} isWriting={isOpen} />
    </details>
  );
}

/** The tokens that an answer used, and its cost where prices are known. */
export function Usage({ message: { metadata } }: Pick<AnswerProps, "message">): ReactElement | null {
  const { usage: shown } = useSettings();
  const { usage, cost } = metadata ?? {};
  if (shown === undefined || usage === undefined) return null;
  const { currency } = shown;
  const money =
    cost === undefined || currency === undefined
      ? ""
      : ` · ${cost.toLocaleString(undefined, { style: "currency", currency, maximumSignificantDigits: 2 })}`;
  return <span className="usage">{`${usage.totalTokens.toLocaleString()} tokens${money}`}</span>;
}

/** Copies a text to the clipboard, where a page may: without HTTPS it may not. */
export function CopyButton({ text }: { readonly text: string | (() => string) }): ReactElement | null {
  const [isCopied, setCopied] = useState(false);
  const { clipboard } = navigator as { readonly clipboard?: Clipboard };
  if (clipboard === undefined) return null;
  const copy = (): void => {
    clipboard.writeText(typeof text === "string" ? text : text()).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1500);
      },
      () => {}, // the person does not allow it
    );
  };
  return <IconButton icon={isCopied ? "check" : "copy"} label={isCopied ? "Copied" : "Copy"} onClick={copy} />;
}

function isShown({ type }: AnyPart): boolean {
  return type !== "step-start" && !type.startsWith("source-");
}
