import { checkOptions, namesIn, type OptionNames } from "../../internal/option-names.ts";
import type { Content, Part } from "../../wire/types/content.ts";

/** What a policy sees when it decides whether and where to cut a history. */
export interface CompactionState {
  /** What the next request would send, oldest first. */
  readonly contents: readonly Content[];
  /** Approximate tokens of its prompt. */
  readonly promptTokens: number;
  /** Prompt tokens the model accepts. */
  readonly windowTokens: number;
  /** Indices of the user's messages, ascending, where the history may be cut: calls keep their responses, and the current turn its signatures. */
  readonly boundaries: readonly number[];
  /** Approximate tokens of the contents from an index to the end. */
  readonly tokensFrom: (index: number) => number;
}

/** Returns the index before which contents are replaced by a summary; `undefined` keeps them all. */
export type CompactionPolicy = (state: CompactionState) => number | undefined;

/** How a history is kept within the model's context window. */
export interface CompactionOptions {
  /** Share of the window that a prompt may fill before the history is cut. @defaultValue 0.8 */
  readonly threshold?: number | undefined;
  /** Share of the window that the remaining messages may fill. @defaultValue 0.3 */
  readonly keep?: number | undefined;
  /** Prompt tokens the model accepts. @defaultValue the known limit of its family */
  readonly windowTokens?: number | undefined;
  /** Prompt for the summary. @defaultValue asks for all facts, decisions and open points */
  readonly instructions?: string | undefined;
  /** Replaces `threshold` and `keep`. Must be pure. */
  readonly policy?: CompactionPolicy | undefined;
}

/** A compacted history: the replacement of its beginning. */
export interface Compaction {
  /** What is sent in place of the contents before {@link Compaction.keepFrom}. */
  readonly summary: readonly Content[];
  /** Index of the first content that is still sent. */
  readonly keepFrom: number;
}

/** The default policy: keeps a share of the window once a threshold is passed. */
export function thresholdPolicy({ threshold = 0.8, keep = 0.3 }: CompactionOptions): CompactionPolicy {
  return ({ promptTokens, windowTokens, boundaries, tokensFrom }) => {
    if (promptTokens < threshold * windowTokens) return undefined;
    const cuts = boundaries.filter((index) => index > 0);
    // The earliest cut that leaves few enough tokens, or the last one.
    return cuts.find((index) => tokensFrom(index) <= keep * windowTokens) ?? cuts.at(-1);
  };
}

/** The indices of the user's messages: user contents that answer no call. */
export function findBoundaries(contents: readonly Content[]): number[] {
  // The content after an answer may be its media.
  const isMessage = (content: Content, index: number): boolean =>
    content.role === "user" && !isAnswer(content) && !isAnswer(contents[index - 1]);
  return contents.flatMap((content, index) => (isMessage(content, index) ? index : []));
}

/** The model's own contents may have responses, too: the service's, to its own calls. */
function isAnswer(content: Content | undefined): boolean {
  return content?.role === "user" && content.parts.some((part) => part.functionResponse !== undefined);
}

const OPTIONS: OptionNames<CompactionOptions> = namesIn("threshold keep windowTokens instructions policy");

/** @throws {TypeError} Naming the invalid option. */
export function checkCompaction(options: CompactionOptions | false | undefined): void {
  if (options === undefined || options === false) return;
  checkOptions("compaction", options, OPTIONS);
  const { threshold = 0.8, keep = 0.3, windowTokens = 1 } = options;
  if (!(threshold > 0 && threshold <= 1))
    throw new TypeError(`compaction.threshold must be greater than 0 and at most 1, got ${threshold}`);
  if (!(keep >= 0 && keep < threshold))
    throw new TypeError(`compaction.keep must be at least 0 and below the threshold of ${threshold}, got ${keep}`);
  if (!(windowTokens > 0))
    throw new TypeError(`compaction.windowTokens must be a positive number, got ${windowTokens}`);
}

/** In English, as the service documents it. */
const CHARACTERS_PER_TOKEN = 4;
/** Scripts without spaces take about one token per character. */
const DENSE = /[\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\u0E00-\u0E7F\u{20000}-\u{2FA1F}]/gu;
const IMAGE_TOKENS = 258;
/** Of a compressed recording, roughly. */
const BYTES_PER_SECOND = 16_000;
const AUDIO_TOKENS_PER_SECOND = 32;
const VIDEO_TOKENS_PER_SECOND = 263;
const PDF_BYTES_PER_PAGE = 50_000;

/** Estimates the prompt tokens of contents; for text, within about 20 percent. @see https://ai.google.dev/gemini-api/docs/tokens */
export function estimateTokens(contents: readonly Content[]): number {
  let tokens = 0;
  for (const content of contents) for (const part of content.parts) tokens += tokensOfPart(part);
  return Math.ceil(tokens);
}

function tokensOfPart(part: Part): number {
  if (part.text !== undefined) return tokensOfText(part.text);
  if (part.inlineData !== undefined) return tokensOfMedia(part.inlineData.mimeType, part.inlineData.data.length * 0.75);
  if (part.fileData !== undefined) return tokensOfMedia(part.fileData.mimeType ?? "", 0);
  // The model does not read signatures.
  const { thoughtSignature: _signature, ...rest } = part;
  let characters = 0;
  for (const value of Object.values(rest)) if (value !== undefined) characters += JSON.stringify(value).length;
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
