import type { GenerateContentRequest, Part } from "@pollux/core/wire";
import { isFields } from "../internal/json.ts";
import { estimateContent, estimateText, type FileLookup } from "./estimate-tokens.ts";

/** A stretch of a prompt that is cached whole or not at all. */
export interface PromptBlock {
  /** What decides whether it is the same as another prompt's: its text, as it was sent. */
  readonly text: string;
  readonly tokens: number;
}

/** Tokens of a full block of text. */
export const BLOCK_TOKENS = 128;

const BLOCK_CHARACTERS = BLOCK_TOKENS * 4;

/**
 * A prompt in the order the model reads it: instructions, tools, contents. Long texts are cut into blocks of
 * {@link BLOCK_TOKENS}; any other part is one block. What else a request says (settings, tool config) is no part of it.
 *
 * @param raw - The request as it was sent, in which keys still have their order.
 */
export function* promptBlocks(
  request: GenerateContentRequest,
  raw: unknown,
  fileOf?: FileLookup,
): Generator<PromptBlock, void, void> {
  const body = isFields(raw) ? raw : {};
  const instructions = (request.systemInstruction?.parts ?? []).map((part) => part.text ?? "").join("");
  yield* textBlocks("", instructions);
  if (request.tools !== undefined && request.tools.length > 0)
    yield* textBlocks("", JSON.stringify(body["tools"] ?? request.tools));
  // Contents of one role in a row are joined in the normalised request, and a cached content stands in front of it.
  const sent = partsSent(body["contents"]);
  const parts = request.contents.reduce((sum, content) => sum + content.parts.length, 0);
  // More were sent than are left: which are which cannot be told.
  let at = sent.length > parts ? Number.NEGATIVE_INFINITY : sent.length - parts;
  for (const content of request.contents) {
    yield { text: content.role ?? "user", tokens: 0 };
    for (const part of content.parts) yield* partBlocks(part, sent[at++] ?? part, fileOf);
  }
}

function partsSent(contents: unknown): readonly unknown[] {
  if (!Array.isArray(contents)) return [];
  return contents.flatMap((content: unknown): readonly unknown[] => {
    const parts = isFields(content) ? content["parts"] : undefined;
    return Array.isArray(parts) ? parts : [];
  });
}

function* partBlocks(part: Part, raw: unknown, fileOf?: FileLookup): Generator<PromptBlock, void, void> {
  if (part.text === undefined) {
    yield { text: JSON.stringify(raw), tokens: estimateContent({ role: "user", parts: [part] }, fileOf).total };
    return;
  }
  const { text, ...rest } = part;
  yield* textBlocks(JSON.stringify(rest), text);
}

function* textBlocks(before: string, text: string): Generator<PromptBlock, void, void> {
  for (let at = 0; at < text.length; at += BLOCK_CHARACTERS) {
    const block = text.slice(at, at + BLOCK_CHARACTERS);
    yield { text: at === 0 ? before + block : block, tokens: estimateText(block) };
  }
}
