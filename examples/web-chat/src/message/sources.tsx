import type { ReactElement } from "react";
import type { ChatMessage } from "../../server/agent.ts";

export interface Source {
  readonly number: string;
  readonly title: string;
  readonly url?: string;
}

/** What an answer is based on, each once. */
export function sourcesOf({ parts }: ChatMessage): readonly Source[] {
  return parts.flatMap((part): Source[] => {
    if (part.type === "source-url")
      return [{ number: part.sourceId, title: part.title ?? hostOf(part.url), url: part.url }];
    return part.type === "source-document" ? [{ number: part.sourceId, title: part.title }] : [];
  });
}

/** Id of a source in the page, which citations link to. */
export function sourceAnchor(messageId: string, number: string): string {
  return `source-${messageId}-${number}`;
}

/** The footnotes of an answer. */
export function Sources({
  messageId,
  sources,
}: {
  readonly messageId: string;
  readonly sources: readonly Source[];
}): ReactElement {
  return (
    <section className="sources" aria-label="Sources">
      <ol>
        {sources.map(({ number, title, url }) => (
          <li key={number} id={sourceAnchor(messageId, number)} value={Number(number)} tabIndex={-1}>
            {isWeb(url) ? (
              <a href={url} target="_blank" rel="noreferrer">
                {title}
              </a>
            ) : (
              title
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Links only lead to pages. */
function isWeb(url: string | undefined): url is string {
  return url !== undefined && /^https?:/i.test(url);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}
