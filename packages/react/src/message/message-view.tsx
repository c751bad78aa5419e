import { memo, type MemoExoticComponent, type ReactElement } from "react";
import { Answer, type AnswerProps } from "./answer.tsx";
import { OwnQuestion } from "./own-question.tsx";

export interface MessageViewProps extends AnswerProps {
  /** A message of the person's that can be edited now. */
  readonly isEditable?: boolean | undefined;
  /** Said to the run that is going, and not heard yet. */
  readonly isQueued?: boolean | undefined;
  /** The server does not have it. */
  readonly isUnsent?: boolean | undefined;
}

/** One message. Only those that have changed are drawn again. */
export const MessageView: MemoExoticComponent<(props: MessageViewProps) => ReactElement> = memo(function MessageView(
  props: MessageViewProps,
): ReactElement {
  const { message, actions, isEditable = false, isQueued = false, isUnsent = false, activity } = props;
  if (message.role === "assistant") return <Answer {...props} />;
  return (
    <OwnQuestion
      message={message}
      isQueued={isQueued}
      onEdit={isEditable ? actions.edit : undefined}
      onSendAgain={isUnsent ? actions.sendAgain : undefined}
      isSentByItself={activity === "cut-off"}
    />
  );
});
