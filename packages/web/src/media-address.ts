import { isWebUrl, type MediaPart } from "@pollux/core/conversation";

/** The address of media that a page may have: of the web, or in Google's storage, which browsers don't open. Never one that acts. */
export function mediaAddress({ uri }: MediaPart): string | undefined {
  return uri !== undefined && (isWebUrl(uri) || uri.startsWith("gs://")) ? uri : undefined;
}
