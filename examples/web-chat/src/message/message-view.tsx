import { memo, type ReactElement } from "react";
import type { ChatMessage } from "../../server/agent.ts";
import type { CallAnswer } from "../chat/use-conversation.ts";
import { Answer } from "./answer.tsx";
import { Picture } from "./picture.tsx";

export interface MessageViewProps {
  readonly message: ChatMessage;
  readonly isLast?: boolean;
  /** The same was asked before. */
  readonly isAgain?: boolean;
  /** Said to the run that is going, and not heard yet. */
  readonly isQueued?: boolean;
  readonly isAnswering?: boolean;
  readonly onDecide?: (approvalId: string, approved: boolean, reason?: string) => void;
  readonly onAnswer?: (answer: CallAnswer) => void;
  readonly onAskAgain?: () => void;
}

/** One message. Only those that have changed are drawn again. */
export const MessageView = memo(
  function MessageView(props: MessageViewProps): ReactElement {
    const { message, isAgain = false, isQueued = false } = props;
    if (message.role === "assistant") return <Answer {...props} />;
    if (isAgain) return <p className="asked-again">Asked again</p>;
    return (
      <article className={isQueued ? "question is-queued" : "question"} aria-label="You">
        <Question parts={message.parts} />
        {isQueued && <span className="queued-note">Will be read after this step</span>}
      </article>
    );
  },
  (before, after) =>
    before.message === after.message &&
    before.isLast === after.isLast &&
    before.isAgain === after.isAgain &&
    // What the last one shows depends on it.
    (before.isAnswering === after.isAnswering || after.isLast !== true),
);

export interface QuestionProps {
  readonly parts: readonly {
    readonly type: string;
    readonly text?: string;
    readonly url?: string;
    readonly mediaType?: string;
    readonly filename?: string;
  }[];
}

/** What a person said. */
export function Question({ parts }: QuestionProps): ReactElement {
  const texts = parts.flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []));
  return (
    <>
      {parts.map(({ type, url, filename }, index) =>
        // oxlint-disable-next-line react/no-array-index-key -- parts have no other name
        type === "file" && url !== undefined ? (
          <Picture key={index} url={url} title={filename ?? "Attached image"} />
        ) : null,
      )}
      {texts.length > 0 && <div className="bubble">{texts.join("\n")}</div>}
    </>
  );
}
