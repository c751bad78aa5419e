import { createRandom } from "../internal/random.ts";

const CHARACTERS_PER_TOKEN = 4;
const VOCABULARY = 262_144;

/** Estimates text at four characters per token, because no tokenizer is available. */
export function estimateText(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Cuts text into as many tokens as {@link estimateText} counts, never inside a surrogate pair. Joined, they are the text. */
export function tokensIn(text: string): string[] {
  const ends = Array.from({ length: estimateText(text) }, (_, index) => {
    const end = Math.min((index + 1) * CHARACTERS_PER_TOKEN, text.length);
    return (text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end;
  });
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

/** The id of a token: the same for the same text. */
export function tokenId(token: string): number {
  return createRandom(`token ${token}`).int(1, VOCABULARY - 1);
}
