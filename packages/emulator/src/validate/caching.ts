import { type Problem, problem } from "./problem.ts";
import type { Subject } from "./subject.ts";
import { exclusiveCacheProblem } from "./tools.ts";
import type { Profile } from "./types.ts";

/** Checks the use of a cached content (E-36, C-1, C-2); the name is checked only if the caller keeps track of cached contents. */
export function cachingProblem(subject: Subject): Problem | undefined {
  const { request, cached, model, profile } = subject;
  const found = exclusiveCacheProblem(subject);
  if (found || !request.cachedContent || cached === undefined) return found;
  if (cached === "unknown") return unknownCacheProblem(request.cachedContent, profile);
  if (cached.modelId === model.id) return undefined;
  const message = `Model used by GenerateContent request (${nameLike(cached.modelName, model.id)}) and CachedContent (${cached.modelName}) has to be the same.`;
  return problem("C-2", message);
}

/** The request with the cached content prepended, as the model sees it. */
export function withCachedPrompt(subject: Subject): Subject {
  const { request, cached } = subject;
  if (cached === undefined || cached === "unknown") return subject;
  const { cachedContent: _name, ...own } = request;
  return {
    ...subject,
    request: { ...own, ...cached.request, contents: [...cached.request.contents, ...own.contents] },
  };
}

/** The rejection of a cached content that belongs to another caller, has expired or never existed (C-1). */
export function unknownCacheProblem(name: string, profile: Profile): Problem {
  if (profile === "vertex") {
    const id = name.slice(name.lastIndexOf("/") + 1);
    return { rule: "C-1", message: `Not found: cached content metadata for ${id}.`, status: "NOT_FOUND" };
  }
  return { rule: "C-1", message: "CachedContent not found (or permission denied)", status: "PERMISSION_DENIED" };
}

function nameLike(modelName: string, id: string): string {
  return `${modelName.slice(0, modelName.lastIndexOf("/") + 1)}${id}`;
}
