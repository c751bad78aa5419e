import type { Content, GenerateContentRequest, ModalityTokenCount, Part } from "@pollux/core/wire";
import { estimateText, tokenId, tokensIn } from "./tokens.ts";

/** Tokens by modality; usage reports the sum. */
export interface TokenCount {
  readonly total: number;
  readonly details: readonly ModalityTokenCount[];
}

/** Looks up an upload by its URI; undefined for unknown files. */
export type FileLookup = (fileUri: string) => { readonly mimeType: string; readonly sizeBytes: number } | undefined;

const IMAGE_TOKENS = 258;
const IMAGE_OUTPUT_TOKENS = 1290;
const FILE_TOKENS = 258;
const BYTES_PER_TOKEN = 4;
/** A second is 25 tokens: 24,000 samples of two bytes. */
const AUDIO_BYTES_PER_TOKEN = 48_000 / 25;
const BYTES_PER_PAGE = 50_000;

/** Estimates the tokens of a part of an answer. */
export function estimateAnswerPart(part: Part): number {
  const { mimeType = "", data = "" } = part.inlineData ?? {};
  if (modalityOf(mimeType) === "AUDIO") return Math.ceil((data.length * 3) / 4 / AUDIO_BYTES_PER_TOKEN);
  if (part.inlineData !== undefined) return IMAGE_OUTPUT_TOKENS;
  return estimatePart(part).tokens;
}

/** Estimates the tokens of one content in a prompt. */
export function estimateContent(content: Content, fileOf?: FileLookup): TokenCount {
  const sums = new Map<string, number>();
  for (const part of content.parts) {
    const { modality, tokens } = estimatePart(part, fileOf);
    sums.set(modality, (sums.get(modality) ?? 0) + tokens);
  }
  return countOf(sums);
}

/** Estimates the tokens before the contents: instructions and tools. */
export function estimateHead(request: GenerateContentRequest): TokenCount {
  const instructions = (request.systemInstruction?.parts ?? []).map((part) => part.text ?? "").join("");
  const tools = request.tools === undefined || request.tools.length === 0 ? "" : JSON.stringify(request.tools);
  return countOf(new Map([["TEXT", estimateText(instructions) + estimateText(tools)]]));
}

/** Adds counts of the same modality. */
export function addCounts(counts: readonly TokenCount[]): TokenCount {
  const sums = new Map<string, number>();
  for (const { modality = "TEXT", tokenCount = 0 } of counts.flatMap((count) => count.details)) {
    sums.set(modality, (sums.get(modality) ?? 0) + tokenCount);
  }
  return countOf(sums);
}

function countOf(sums: ReadonlyMap<string, number>): TokenCount {
  const details = [...sums]
    .filter(([, tokens]) => tokens > 0)
    .map(([modality, tokenCount]) => ({ modality, tokenCount }));
  return { total: details.reduce((sum, detail) => sum + detail.tokenCount, 0), details };
}

/** The tokens of contents, as many as the estimate counts, except for media, which has none to show. */
export function tokensInfo(contents: readonly Content[]): object[] {
  return contents.map(({ role, parts }) => {
    const tokens = parts.flatMap((part) => (part.inlineData || part.fileData ? [] : tokensIn(wordsOf(part))));
    return {
      role,
      tokens: tokens.map((token) => Buffer.from(token).toString("base64")),
      tokenIds: tokens.map((token) => String(tokenId(token))),
    };
  });
}

/** The text of a part, or, for a call or response, the JSON that the model reads. */
function wordsOf(part: Part): string {
  if (part.text !== undefined) return part.text;
  const { thoughtSignature: _signature, ...fields } = part;
  // The model doesn't read the braces and the field's name.
  return Object.values(fields)
    .map((value) => JSON.stringify(value))
    .join("");
}

function estimatePart(part: Part, fileOf?: FileLookup): { modality: string; tokens: number } {
  if (part.inlineData !== undefined) return estimateMedia(part.inlineData.mimeType, part.inlineData.data.length);
  if (part.fileData !== undefined) {
    const { fileUri, mimeType } = part.fileData;
    const file = fileOf?.(fileUri);
    if (file !== undefined) return estimateFile(mimeType || file.mimeType, file.sizeBytes);
    return { modality: modalityOf(mimeType ?? ""), tokens: FILE_TOKENS };
  }
  return { modality: "TEXT", tokens: estimateText(wordsOf(part)) };
}

function estimateFile(mimeType: string, bytes: number): { modality: string; tokens: number } {
  const modality = modalityOf(mimeType);
  if (mimeType === "application/pdf")
    return { modality, tokens: FILE_TOKENS * Math.max(1, Math.ceil(bytes / BYTES_PER_PAGE)) };
  if (modality === "TEXT" || modality === "DOCUMENT") {
    return { modality, tokens: Math.ceil(bytes / BYTES_PER_TOKEN) };
  }
  // The length of these bytes as base64.
  return estimateMedia(mimeType, Math.ceil((bytes * 4) / 3));
}

function estimateMedia(mimeType: string, characters: number): { modality: string; tokens: number } {
  const modality = modalityOf(mimeType);
  if (modality === "IMAGE") return { modality, tokens: IMAGE_TOKENS };
  // Audio and video are billed per second; about 16 KB of a compressed file are one second.
  return {
    modality,
    tokens: Math.max(IMAGE_TOKENS, Math.ceil(characters / 16_000) * (modality === "AUDIO" ? 32 : FILE_TOKENS)),
  };
}

/** The modality that usage counts a media type as. */
export function modalityOf(mimeType: string): string {
  const kind = mimeType.split("/")[0] ?? "";
  return { image: "IMAGE", audio: "AUDIO", video: "VIDEO", application: "DOCUMENT" }[kind] ?? "TEXT";
}
