import type { ReactElement } from "react";

/** An image of the conversation. A click opens it in full. */
export function Picture({ url, title }: { readonly url: string; readonly title: string }): ReactElement {
  const image = <img className="picture" src={url} alt={title} />;
  // Browsers don't open data URLs as pages.
  return url.startsWith("/") ? (
    <a href={url} target="_blank" rel="noreferrer">
      {image}
    </a>
  ) : (
    image
  );
}
