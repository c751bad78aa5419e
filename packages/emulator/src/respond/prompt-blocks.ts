import type { GenerateContentRequest, Part } from "@pollux/core/wire";
import { isFields } from "../internal/json.ts";
import { estimateContent, type FileLookup } from "./estimate-tokens.ts";
import { estimateText } from "./tokens.ts";

/** A section of a prompt that is cached completely or not at all. */
export interface PromptBlock {
  /** Identifies the block across prompts: its text, as sent. */
  readonly text: string;
  readonly tokens: number;
}

/** Tokens of a full block of text. */
export const BLOCK_TOKENS = 128;

const BLOCK_CHARACTERS = BLOCK_TOKENS * 4;

/**
 * A prompt in the order in which the model reads it: instructions, tools, contents. Long texts are split into blocks of
 * {@link BLOCK_TOKENS}; any other part is one block. The rest of the request (settings, tool config) is not part of it.
 *
 * @param raw - The request as sent, with its original key order.
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
  // The normalized request joins consecutive contents of one role, and starts with the cached content if there is one.
  const sent = partsSent(body["contents"]);
  const parts = request.contents.reduce((sum, content) => sum + content.parts.length, 0);
  // More parts were sent than remain, so they can't be matched.
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
