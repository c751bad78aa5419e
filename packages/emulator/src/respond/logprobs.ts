import type { LogprobsResult, Part } from "@pollux/core/wire";
import { createRandom, type Random } from "../internal/random.ts";
import { tokenId, tokensIn } from "./tokens.ts";

/** Alternative tokens: twenty, the most that a request can ask for. */
const ALTERNATIVES = " the a of to in and is it that for on as with was at by an be this or".split(/(?= )/);

/**
 * Log probabilities of the text in these parts, one for each token, made up but the same for the same text; undefined without text.
 *
 * @param count How many of the most likely tokens to list at each step; 0 lists only the chosen tokens.
 */
export function logprobsOf(parts: readonly Part[], count: number): LogprobsResult | undefined {
  const text = parts.map((part) => (part.thought === true ? "" : (part.text ?? ""))).join("");
  if (text === "") return undefined;
  const random = createRandom(`logprobs ${text}`);
  const chosenCandidates = tokensIn(text).map((token) => candidate(token, -(random.next() ** 4)));
  if (count < 1) return { chosenCandidates };
  const topCandidates = chosenCandidates.map((chosen) => ({
    candidates: [chosen, ...lessLikely(chosen, count - 1, random)],
  }));
  return { chosenCandidates, topCandidates };
}

type Candidate = ReturnType<typeof candidate>;

function candidate(token: string, logProbability: number) {
  return { token, tokenId: tokenId(token), logProbability };
}

function lessLikely(chosen: Candidate, count: number, random: Random): Candidate[] {
  let { logProbability } = chosen;
  return ALTERNATIVES.filter((token) => token !== chosen.token)
    .slice(0, count)
    .map((token) => candidate(token, (logProbability -= 1 + 3 * random.next())));
}
