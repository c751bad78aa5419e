import type { Content, GenerateContentRequest, Part } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import type { ResolvedSwitches } from "./switches.ts";
import type { CachedPrompt, Operation, Profile, SignatureBook } from "./types.ts";

/** Input of the rules: a request whose fields have valid names and types, and the model it is for. */
export interface Subject {
  readonly request: GenerateContentRequest;
  readonly model: ModelFacts;
  readonly operation: Operation;
  readonly profile: Profile;
  /** The surface whose messages and limits apply; a gateway answers like its upstream. */
  readonly surface: "developer" | "vertex";
  readonly switches: ResolvedSwitches;
  readonly signatures: SignatureBook;
  /** The cached content that `cachedContent` names; undefined if it names none, or none can be looked up. */
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
 * The role as the service interprets it: `function` and missing roles mean the user. Other values are kept, so that the rule about
 * roles can reject them.
 */
export function roleOf(content: Content): string {
  const role: string | undefined = content.role;
  return role === undefined || role === "" || role === "function" ? "user" : role;
}

/** True for models with the rules of Gemini 2 and older, including Gemma. */
export function isOlderThan3(model: ModelFacts): boolean {
  return model.generation < 3 || model.family === "gemma";
}
