import type { ReactElement } from "react";
import type { AnyChatMessage } from "../chat-message.ts";
import { SafeLink, webHostOf } from "../safe-link.tsx";
import { sourceAnchor } from "../settings.tsx";

export interface SourcesProps {
  readonly message: AnyChatMessage;
}

/** The footnotes of an answer: what it is based on, each once. Null for one without. */
export function Sources({ message: { id, parts } }: SourcesProps): ReactElement | null {
  const sources = parts.filter((part) => part.type === "source-url" || part.type === "source-document");
  if (sources.length === 0) return null;
  return (
    <section className="sources" aria-label="Sources">
      <ol>
        {sources.map((source) => (
          <li
            key={source.sourceId}
            id={sourceAnchor(id, source.sourceId)}
            value={Number(source.sourceId)}
            tabIndex={-1}
          >
            {source.type === "source-url" ? <SourceLink {...source} /> : source.title}
          </li>
        ))}
      </ol>
    </section>
  );
}

function SourceLink({ url, title }: { readonly url: string; readonly title?: string | undefined }): ReactElement {
  const host = webHostOf(url);
  if (host !== REDIRECT) return <SafeLink href={url}>{title ?? host ?? url}</SafeLink>;
  return (
    <a href={url} target="_blank" rel="noreferrer">
      {title ?? host}
    </a>
  );
}

/** Where the links of Google Search lead first; their title is the host that they end at. */
const REDIRECT = "vertexaisearch.cloud.google.com";
