import type { Problem } from "../validate/problem.ts";

/**
 * Why requests to file search stores are refused, or how they are answered. Guesses are marked, and `pnpm live` asks the service
 * about each.
 */
export const FILE_SEARCH_RULES: Readonly<Record<string, readonly ["documented" | "seen" | "guess", string]>> = {
  "K-1": ["seen", "a store with documents is deleted only with force"],
  "K-2": ["seen", "a document is deleted only with force"],
  "K-3": ["seen", "the storage of the project is full: 429"],
  "K-4": ["guess", "unknown store or document: 404"],
  "K-5": ["documented", "more than 20 entries of metadata"],
  "K-6": ["guess", "page size over 20: 20 are sent; below 0: refused"],
  "K-7": ["guess", "a key twice in the metadata"],
  "K-8": ["guess", "display name over 512 characters"],
  "K-9": ["guess", "metadata filter: key=value, joined by AND"],
};

export const notFound: Problem = { rule: "K-4", message: "Requested entity was not found.", status: "NOT_FOUND" };

export function precondition(rule: string, message: string): Problem {
  return { rule, message, status: "FAILED_PRECONDITION" };
}
