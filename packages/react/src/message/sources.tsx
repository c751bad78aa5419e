import type { ReactElement } from "react";
import type { AnyChatMessage } from "../chat-message.ts";
import { sourceAnchor } from "../settings.tsx";
import { SafeLink, webHostOf } from "../safe-link.tsx";

export interface Source {
  readonly number: string;
  readonly title: string;
  readonly url?: string;
}

/** What an answer is based on, each once. */
export function sourcesOf({ parts }: AnyChatMessage): readonly Source[] {
  return parts.flatMap((part): Source[] => {
    if (part.type === "source-url")
      return [{ number: part.sourceId, title: part.title ?? webHostOf(part.url) ?? part.url, url: part.url }];
    return part.type === "source-document" ? [{ number: part.sourceId, title: part.title }] : [];
  });
}

export interface SourcesProps {
  readonly messageId: string;
  readonly sources: readonly Source[];
}

/** The footnotes of an answer. */
export function Sources({ messageId, sources }: SourcesProps): ReactElement {
  return (
    <section className="sources" aria-label="Sources">
      <ol>
        {sources.map(({ number, title, url }) => (
          <li key={number} id={sourceAnchor(messageId, number)} value={Number(number)} tabIndex={-1}>
            {webHostOf(url ?? "") === REDIRECT ? (
              <a href={url} target="_blank" rel="noreferrer">
                {title}
              </a>
            ) : (
              <SafeLink href={url ?? ""}>{title}</SafeLink>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Where the links of Google Search lead first; their title is the host that they end at. */
const REDIRECT = "vertexaisearch.cloud.google.com";
