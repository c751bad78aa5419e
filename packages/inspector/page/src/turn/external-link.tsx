import { isWebUrl } from "@pollux/core/conversation";
import type { JSX } from "preact";

/** A link that a model or a tool gave: only to the web, and told nothing about this page. */
export function ExternalLink({ uri, title }: { readonly uri: string; readonly title: string }): JSX.Element {
  return isWebUrl(uri) ? (
    <a href={uri} target="_blank" rel="noreferrer noopener" title={uri}>
      {title}
    </a>
  ) : (
    <span title={uri}>{title}</span>
  );
}
