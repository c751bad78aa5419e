import { type Answer, codeExecution, join, say, type Search } from "../../brain/answer.ts";
import type { BrainTurn } from "../../brain/brain.ts";
import { wordsOf } from "../../file-search/retrieve.ts";
import { groundingMetadata, supportsInTurn } from "../../respond/grounding.ts";
import type { Material } from "../read/material.ts";

/** Follows the "search results", so that nobody takes them for real. */
export const SAMPLE_SOURCES = "The sources are samples: the emulator does not search.";

/** The search that the service would have made before answering, as fields of the answer other than its parts. */
export function searchFor(turn: BrainTurn, material: Material, isNeeded: boolean): Answer | undefined {
  const has = (name: string): boolean => (turn.request.tools ?? []).some((tool) => name in tool);
  const search = (kind: Search["kind"], titles: readonly string[], queries: readonly string[] = []): Answer => ({
    parts: [],
    search: { kind, queries, sources: titles.map((title) => ({ title })) },
  });
  const [named] = material.names;
  if (isNeeded && (has("googleSearch") || has("googleSearchRetrieval"))) {
    const query = material.topic.replaceAll(/\s+/g, " ").slice(0, 80) || "Pollux";
    const queries = named === undefined ? [query] : [query, `${named} latest`];
    return search("web", ["example.com", "example.org", "example.net"], queries);
  }
  if (isNeeded && has("googleMaps"))
    return search("maps", [`${named ?? "Pollux"} Cafe`, `${named ?? "Pollux"} Museum`]);
  if (has("urlContext") && material.urls.length > 0) {
    const urlMetadata = material.urls.map((retrievedUrl) => ({
      retrievedUrl,
      urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS",
    }));
    const sources = material.urls.map((uri) => ({ title: new URL(uri).hostname, uri }));
    return { parts: [], search: { kind: "url", queries: [], sources }, urlContext: { urlMetadata } };
  }
  const sources = turn.retrieve(turn.prompt).map(({ retrievedContext }) => ({
    title: retrievedContext?.title ?? "a document",
    retrievedContext,
  }));
  return sources.length === 0 ? undefined : { parts: [], search: { kind: "files", queries: [], sources } };
}

/** The "search results" in one sentence for each source. */
export function sayFound({ prompt }: BrainTurn, { search }: Answer, material: Material): string {
  const { kind, sources = [] } = search ?? {};
  const [first, second, third] = sources.map(({ title }) => title);
  if (kind === "files")
    return sources.map(({ retrievedContext }) => sayRetrieved(retrievedContext?.text ?? "", prompt)).join(" ");
  if (kind === "maps") return `${first} is nearby. ${second} is a short walk away.`;
  const topic = plainTopic(material);
  if (kind === "url")
    return sources.map(({ title }) => `The page at ${title} covers ${topic ?? "the topic"}.`).join(" ");
  const has = topic === undefined ? "an answer" : `an overview of ${topic}`;
  return `${first} has ${has}. ${second} goes into the details. ${third} lists the latest changes.`;
}

/** The sentence of a document that shares the most words with the question. */
function sayRetrieved(text: string, question: string): string {
  const words = wordsOf(question);
  const shared = (sentence: string): number => [...wordsOf(sentence)].filter((word) => words.has(word)).length;
  const sentences = text
    .split(/(?<=[.!?。])\s+|\n+/u)
    .map((sentence) => sentence.replace(/^[#>*\s-]+/, "").trim())
    .filter((sentence) => /\p{L}/u.test(sentence));
  const [best = ""] = sentences.toSorted((a, b) => shared(b) - shared(a));
  return /[.!?。]$/u.test(best) ? best : `${best}.`;
}

/** The topic of a search: the words after the first preposition of a question, or else the whole text. */
function plainTopic({ topic, names }: Material): string | undefined {
  const bare = topic.replaceAll(/https?:\/\/\S+/g, "").trim();
  const isQuestion =
    /^(?:new|who|what|when|where|which|why|how|is|are|was|were|do|does|did|can|will|won|built)\b/i.test(bare);
  const subject = isQuestion ? (/\b(?:in|about|of|on|for|with)\s+(.+)$/i.exec(bare)?.[1] ?? "") : bare;
  return [subject, ...names].find((text) => /^[\x20-\x7E]{2,60}$/.test(text) && !/[.!?,:]\s/.test(text));
}

/** Grounds only the "search results" in the sources, not the results of functions. */
export function supportFound(text: string, found: Answer): Answer {
  if (found.search === undefined) return found;
  const supports = supportsInTurn(text, found.search.sources.length);
  return { ...found, search: { ...found.search, supports } };
}

/** Grounding of an answer whose search parts were sent in an earlier step of the turn. */
export function groundedLater(found: Answer, text: string, turn: BrainTurn): Answer {
  if (found.search === undefined || turn.request.generationConfig?.responseMimeType === "application/json")
    return found;
  const { search, ...rest } = found;
  return { ...rest, grounding: groundingMetadata(search, text, turn.profile) };
}

/** A program that was "executed", if the request allows it. */
export function runCode({ request }: BrainTurn, remarked: (text: string) => string): Answer | undefined {
  if (!(request.tools ?? []).some((tool) => "codeExecution" in tool)) return undefined;
  const text = "The code prints 42. It is a sample: the emulator runs no code.";
  return join(codeExecution("print(6 * 7)\n", "42\n"), say(remarked(text)));
}
