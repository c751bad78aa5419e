import { asList, asObject } from "../internal/json.ts";
import type { ModelResponse } from "../model/model.ts";
import { addRead, readContents, type ReadSource } from "../tool/reads.ts";

/** Sources that the service read for an answer, by its metadata and parts. They may have shaped even the calls of this answer. */
export function readByService({ content, candidate }: Pick<ModelResponse, "content" | "candidate">): ReadSource[] {
  const found = [...readContents([content])];
  if (candidate.urlContextMetadata !== undefined) addRead(found, { tool: "urlContext", reads: "untrusted" });
  // Without a search, the metadata has only a score.
  const {
    retrievalMetadata: _,
    groundingChunks,
    retrievalQueries,
    ...searched
  } = asObject(candidate.groundingMetadata);
  const kinds = asList(groundingChunks).map((chunk) => Object.keys(asObject(chunk))[0] ?? "");
  if (kinds.length === 0 && retrievalQueries !== undefined) kinds.push("retrievedContext");
  if (kinds.length === 0 && Object.keys(searched).length > 0) kinds.push("web");
  for (const kind of kinds) {
    const reads = kind === "retrievedContext" ? "private" : /^(web|image|maps)$/.test(kind) ? "untrusted" : "both";
    addRead(found, { tool: kind === "web" ? "googleSearch" : kind, reads });
  }
  return found;
}
