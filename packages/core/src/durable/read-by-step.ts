import { asList, asObject } from "../internal/json.ts";
import type { ModelResponse } from "../model/model.ts";
import { addRead, isPrivate, isUntrusted, readContents, type ReadsMark, type ReadSource } from "../tool/reads.ts";
import type { CallStepValue, ModelStepValue, Steered } from "./run-log.ts";

/** What an answer brings into the history: what the service read for it, and tool descriptions that the model saw for the first time. */
export function readByModel({
  response,
  described = [],
}: Pick<ModelStepValue, "response" | "described">): ReadSource[] {
  return [...described, ...readByService(response)];
}

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

/** What steering messages bring; if their source did not say, what their files bring. */
export function readSteered({ read, contents }: Steered): readonly ReadSource[] {
  return read ?? readContents(contents);
}

/** What a call brings into the history: its result, and what runs inside it have read. */
export function readByCall(
  tool: string,
  { reads, origin, nested }: Pick<CallStepValue, "reads" | "origin" | "nested">,
): readonly ReadSource[] {
  const inside = nested.flatMap(({ read = [] }) => read.map((one) => ({ ...one, tool: `${tool} > ${one.tool}` })));
  return reads === undefined ? inside : [{ tool, reads, origin }, ...inside];
}

/** The same in one word, for observers and readers of events. */
export function markOfCall(value: Parameters<typeof readByCall>[1]): ReadsMark | undefined {
  const read = readByCall("", value);
  if (read.length === 0) return undefined;
  return read.some(isUntrusted) ? (read.some(isPrivate) ? "both" : "untrusted") : "private";
}
