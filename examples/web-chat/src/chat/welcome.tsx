import type { ReactElement } from "react";

const IDEAS = [
  ["Compare the weather", "What is the weather in Oslo and Lima?"],
  ["Search the web", "Search the web for the latest news about the Gemini API"],
  ["Order something", "I want to order 3 pieces of “mechanical keyboard”"],
  ["Draw a picture", "Draw a picture of “hills at dusk”"],
  ["Calculate something", "Calculate 17 * 23"],
  ["Hear something", "Read aloud “Good evening, and welcome”"],
] as const;

/** What a new conversation shows. */
export function Welcome({ onAsk }: { readonly onAsk: (text: string) => void }): ReactElement {
  return (
    <div className="welcome">
      <h2>What can I do for you?</h2>
      <div className="ideas">
        {IDEAS.map(([title, text]) => (
          <button key={title} type="button" className="idea" onClick={() => onAsk(text)}>
            <span className="idea-title">{title}</span>
            <span className="idea-text">{text}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
