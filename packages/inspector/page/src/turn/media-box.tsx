import type { JSX } from "preact";
import type { MediaRef, MediaView } from "../../../src/inspection/turn-details.ts";
import { useLoad } from "../app/use-load.ts";
import { useSession } from "../session/session-model.ts";
import { formatBytes } from "../ui/format.ts";

/** An image, a sound, a video or a document. */
export function MediaBox({ media }: { readonly media: MediaView }): JSX.Element {
  const { mimeType, bytes, uri, name, ref } = media;
  return (
    <figure class="media">
      {ref !== undefined && <Inline media={media} place={ref} />}
      <figcaption class="wrap">
        <span class="mono">{mimeType === "" ? "no type" : mimeType}</span>
        {bytes !== undefined && <span>{formatBytes(bytes)}</span>}
        {name !== undefined && <span>{name}</span>}
        {uri !== undefined && <span class="mono">{uri}</span>}
      </figcaption>
    </figure>
  );
}

function Inline({ media, place }: { readonly media: MediaView; readonly place: MediaRef }): JSX.Element {
  const { source, id } = useSession();
  const { value: address, error } = useLoad(["media", id, place], () => source.media(id, place));
  const { mimeType } = media;
  if (error !== undefined) return <p class="dim">{error.message}</p>;
  if (address === undefined) return <span />;
  if (/^image\/(?!svg)/.test(mimeType))
    return <img src={address} alt={media.name ?? `Image, ${mimeType}`} loading="lazy" decoding="async" />;
  if (mimeType.startsWith("audio/"))
    return <audio src={address} controls preload="none" aria-label={media.name ?? `Audio, ${mimeType}`} />;
  if (mimeType.startsWith("video/"))
    return <video src={address} controls preload="none" aria-label={media.name ?? `Video, ${mimeType}`} />;
  return (
    <a href={address} download={media.name ?? "media"}>
      Download
    </a>
  );
}
