import { media, OutputAudio } from "@pollux/core";
import { isWebUrl, type MediaPart, type MessagePart } from "@pollux/core/conversation";

/** Joined audio, by its last piece: the objects of a conversation are immutable. */
const joined = new WeakMap<MediaPart, MediaPart>();

/**
 * The parts of a step, with audio joined so that a page can play it: a stream delivers it in many pieces, without a header.
 *
 * @param isWhole - Nothing follows the parts. Otherwise, audio at their end is left out until it is whole.
 */
export function playableParts<Part extends MessagePart>(
  parts: readonly Part[],
  isWhole: boolean,
): readonly (Part | MediaPart)[] {
  const shown: (Part | MediaPart)[] = [];
  let pieces: MediaPart[] = [];
  for (const [index, part] of parts.entries()) {
    if (!isRawAudio(part)) {
      shown.push(part);
      continue;
    }
    pieces.push(part);
    const next = parts[index + 1];
    const isContinued = next === undefined ? !isWhole : isRawAudio(next) && isPieceOf(part, next);
    if (isContinued) continue;
    shown.push(joinPieces(pieces, part));
    pieces = [];
  }
  return shown;
}

function isRawAudio(part: MessagePart): part is MediaPart {
  if (part.type !== "media" || part.data === undefined) return false;
  return new OutputAudio({ mimeType: part.mimeType ?? "", pieces: [] }).rate !== undefined;
}

function isPieceOf({ mimeType, thought }: MediaPart, next: MediaPart): boolean {
  return next.mimeType === mimeType && next.thought === thought;
}

function joinPieces(pieces: readonly MediaPart[], last: MediaPart): MediaPart {
  const known = joined.get(last);
  if (known !== undefined) return known;
  const audio = new OutputAudio({ mimeType: last.mimeType ?? "", pieces: pieces.map(({ data = "" }) => data) });
  const { mimeType, data } = media(audio.toWav());
  const part = { ...last, ...pieces[0], mimeType, data };
  joined.set(last, part);
  return part;
}

/** The address of media, if it is safe in a page: on the web, or in Google's storage, which browsers don't open. */
export function mediaAddress({ uri }: MediaPart): string | undefined {
  return uri !== undefined && (isWebUrl(uri) || uri.startsWith("gs://")) ? uri : undefined;
}
