import type { Content, GenerateContentRequest, ModalityTokenCount, Part } from "@pollux/core/wire";

/** Tokens by modality; usage reports the sum. */
export interface TokenCount {
  readonly total: number;
  readonly details: readonly ModalityTokenCount[];
}

/** Looks up an upload by its URI; undefined for unknown files. */
export type FileLookup = (fileUri: string) => { readonly mimeType: string; readonly sizeBytes: number } | undefined;

const CHARACTERS_PER_TOKEN = 4;
const IMAGE_TOKENS = 258;
const IMAGE_OUTPUT_TOKENS = 1290;
const FILE_TOKENS = 258;
const BYTES_PER_PAGE = 50_000;

/** Estimates text at four characters per token, because no tokenizer is available. */
export function estimateText(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Estimates the tokens of a part of an answer. */
export function estimateAnswerPart(part: Part): number {
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

/** Estimates what precedes the contents: instructions and tools. */
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

function estimatePart(part: Part, fileOf?: FileLookup): { modality: string; tokens: number } {
  if (part.text !== undefined) return { modality: "TEXT", tokens: estimateText(part.text) };
  if (part.inlineData !== undefined) return estimateMedia(part.inlineData.mimeType, part.inlineData.data.length);
  if (part.fileData !== undefined) {
    const { fileUri, mimeType } = part.fileData;
    const file = fileOf?.(fileUri);
    if (file !== undefined) return estimateFile(mimeType || file.mimeType, file.sizeBytes);
    return { modality: modalityOf(mimeType ?? ""), tokens: FILE_TOKENS };
  }
  const { thoughtSignature: _signature, ...said } = part;
  // The braces and the field's name are not the model's words.
  return {
    modality: "TEXT",
    tokens: estimateText(
      Object.values(said)
        .map((value) => JSON.stringify(value))
        .join(""),
    ),
  };
}

function estimateFile(mimeType: string, bytes: number): { modality: string; tokens: number } {
  const modality = modalityOf(mimeType);
  if (mimeType === "application/pdf")
    return { modality, tokens: FILE_TOKENS * Math.max(1, Math.ceil(bytes / BYTES_PER_PAGE)) };
  if (modality === "TEXT" || modality === "DOCUMENT") {
    return { modality, tokens: Math.ceil(bytes / CHARACTERS_PER_TOKEN) };
  }
  // As many bytes as this many base64 characters.
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

function modalityOf(mimeType: string): string {
  const kind = mimeType.split("/")[0] ?? "";
  return { image: "IMAGE", audio: "AUDIO", video: "VIDEO", application: "DOCUMENT" }[kind] ?? "TEXT";
}
