import type { ReactElement } from "react";
import { Button } from "../button.tsx";

/** Something that an empty conversation offers to ask: what is sent, with a short title for it. */
export interface Idea {
  readonly title: string;
  readonly text: string;
}

export interface WelcomeProps {
  readonly ideas?: readonly Idea[] | undefined;
  readonly onAsk: (text: string) => void;
}

/** What a new conversation shows. */
export function Welcome({ ideas, onAsk }: WelcomeProps): ReactElement {
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
