import type { ReactElement } from "react";

/** A sound of the conversation, with what it is. */
export function Sound({ url, title }: { readonly url: string; readonly title: string }): ReactElement {
  return (
    <figure className="sound">
      <figcaption>{title}</figcaption>
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- the model says no more than the title or the text of the message */}
      <audio controls preload="metadata" src={url} aria-label={title} />
    </figure>
  );
}
