import type { Content, GenerateContentRequest, Part } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import type { ResolvedSwitches } from "./switches.ts";
import type { CachedPrompt, Operation, Profile, SignatureBook } from "./types.ts";

/** What the rules look at: a request whose fields are known to have the right names and types, and who is asked. */
export interface Subject {
  readonly request: GenerateContentRequest;
  readonly model: ModelFacts;
  readonly operation: Operation;
  readonly profile: Profile;
  /** Whose texts and limits apply; a gateway speaks as its upstream. */
  readonly surface: "developer" | "vertex";
  readonly switches: ResolvedSwitches;
  readonly signatures: SignatureBook;
  /** What `cachedContent` names; undefined where it names nothing, or nobody can look it up. */
  readonly cached?: CachedPrompt | "unknown" | undefined;
}

/** True for parts that answer a call. */
export function isResponse(part: Part): boolean {
  return part.functionResponse !== undefined;
}

/** True for parts that ask for a call. */
export function isCall(part: Part): boolean {
  return part.functionCall !== undefined;
}

/**
 * What the service takes a content to be: `function` and absent roles are the user's. Other words stay as they are, for the
 * rule about roles to find.
 */
export function roleOf(content: Content): string {
  const role: string | undefined = content.role;
  return role === undefined || role === "" || role === "function" ? "user" : role;
}

/** True for models with the rules of Gemini 2 and older, Gemma among them. */
export function isOlderThan3(model: ModelFacts): boolean {
  return model.generation < 3 || model.family === "gemma";
}
