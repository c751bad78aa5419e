import type { Content, Part } from "../wire/content.ts";

/** Of plain text; the service's tokenizers take about four characters of English a token. */
const CHARACTERS_PER_TOKEN = 4;
/** Scripts that are written without spaces take about one token a character. */
const DENSE = /[\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\u0E00-\u0E7F\u{20000}-\u{2FA1F}]/gu;
const IMAGE_TOKENS = 258;
/** About a second of a compressed recording. */
const BYTES_PER_SECOND = 16_000;
const AUDIO_TOKENS_PER_SECOND = 32;
const VIDEO_TOKENS_PER_SECOND = 263;
const PDF_BYTES_PER_PAGE = 50_000;

/**
 * About how many prompt tokens contents take. A guess, good to a fifth for text: the service's own count is in `usage`.
 *
 * @see https://ai.google.dev/gemini-api/docs/tokens
 */
export function estimateTokens(contents: readonly Content[]): number {
  let tokens = 0;
  for (const content of contents) for (const part of content.parts) tokens += tokensOfPart(part);
  return Math.ceil(tokens);
}

function tokensOfPart(part: Part): number {
  if (part.text !== undefined) return tokensOfText(part.text);
  if (part.inlineData !== undefined) return tokensOfMedia(part.inlineData.mimeType, part.inlineData.data.length * 0.75);
  if (part.fileData !== undefined) return tokensOfMedia(part.fileData.mimeType ?? "", 0);
  // A signature is not read by the model.
  const { thoughtSignature: _signature, ...said } = part;
  let characters = 0;
  for (const value of Object.values(said)) if (value !== undefined) characters += JSON.stringify(value).length;
  return characters / CHARACTERS_PER_TOKEN;
}

function tokensOfText(text: string): number {
  const dense = text.match(DENSE)?.length ?? 0;
  return dense + (text.length - dense) / CHARACTERS_PER_TOKEN;
}

function tokensOfMedia(mimeType: string, bytes: number): number {
  const seconds = Math.max(1, bytes / BYTES_PER_SECOND);
  if (mimeType.startsWith("audio/")) return seconds * AUDIO_TOKENS_PER_SECOND;
  if (mimeType.startsWith("video/")) return seconds * VIDEO_TOKENS_PER_SECOND;
  if (mimeType === "application/pdf") return Math.max(1, bytes / PDF_BYTES_PER_PAGE) * IMAGE_TOKENS;
  if (mimeType.startsWith("text/")) return bytes / CHARACTERS_PER_TOKEN;
  return IMAGE_TOKENS;
}
