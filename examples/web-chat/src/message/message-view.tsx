import { memo, type ReactElement } from "react";
import { Answer, type AnswerProps } from "./answer.tsx";
import { Question } from "./question.tsx";

export interface MessageViewProps extends AnswerProps {
  /** The same was asked before. */
  readonly isAgain?: boolean;
  /** Said to the run that is going, and not heard yet. */
  readonly isQueued?: boolean;
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
