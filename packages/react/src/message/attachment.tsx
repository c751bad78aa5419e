import type { ReactElement } from "react";
import type { SaidPart } from "../chat-message.ts";
import { Icon } from "../button.tsx";
import { SafeLink } from "../safe-link.tsx";

/** A file of a conversation. */
export interface AttachmentProps {
  readonly url: string;
  readonly mediaType?: string | undefined;
  readonly filename?: string | undefined;
}

/** A file of the conversation: an image, a sound, or its name. Nothing is loaded from another server: a click leads there. */
export function Attachment({ url, mediaType = "", filename = "File" }: AttachmentProps): ReactElement {
  const isOwn = isOfThisServer(url);
  if (isOwn && mediaType.startsWith("image/")) {
    const image = <img className="picture" src={url} alt={filename} />;
    // Browsers don't open data URLs as pages.
    if (url.startsWith("data:")) return image;
    return (
      <a href={url} target="_blank" rel="noreferrer">
        {image}
      </a>
    );
  }
  if (isOwn && mediaType.startsWith("audio/"))
    return (
      <figure className="sound">
        <figcaption>{filename}</figcaption>
        {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- the model says no more than the title or the text of the message */}
        <audio controls preload="metadata" src={url} aria-label={filename} />
      </figure>
    );
  return (
    <p className="file">
      <Icon name="file" />
      <span dir="auto">{isOwn ? filename : <SafeLink href={url}>{filename}</SafeLink>}</span>
    </p>
  );
}

/** True for what is in the page, or on the server that it came from: loading it tells nobody else who reads it. */
function isOfThisServer(url: string): boolean {
  if (/^(?:data|blob):/i.test(url)) return true;
  return URL.canParse(url, location.href) && new URL(url, location.href).origin === location.origin;
}

/** A person's message: files, then text. */
export function SaidParts({ parts }: { readonly parts: readonly SaidPart[] }): ReactElement {
  const texts = parts.flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []));
  return (
    <>
      {parts.map(({ type, url, mediaType, filename }, index) =>
        type === "file" && url !== undefined ? <Attachment key={index} {...{ url, mediaType, filename }} /> : null,
      )}
      {texts.length > 0 && (
        <div className="bubble" dir="auto">
          {texts.join("\n")}
        </div>
      )}
    </>
  );
}
