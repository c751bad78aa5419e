import { memo, type ReactElement } from "react";
import { Answer, type AnswerProps } from "./answer.tsx";
import { OwnQuestion, type OwnQuestionProps } from "./own-question.tsx";

export interface MessageViewProps extends AnswerProps, Partial<Pick<OwnQuestionProps, "isQueued" | "onEdit">> {
  /** A message of the person's that can be edited now. */
  readonly canEdit?: boolean;
}

/** One message. Only those that have changed are drawn again. */
export const MessageView = memo(
  function MessageView(props: MessageViewProps): ReactElement {
    const { message, canEdit = false, isQueued = false, onEdit } = props;
    if (message.role === "assistant") return <Answer {...props} />;
    return <OwnQuestion message={message} isQueued={isQueued} onEdit={canEdit ? onEdit : undefined} />;
  },
  (before, after) =>
    before.message === after.message &&
    before.isLast === after.isLast &&
    before.canEdit === after.canEdit &&
    // What the last one shows depends on it.
    (before.isAnswering === after.isAnswering || after.isLast !== true),
);
