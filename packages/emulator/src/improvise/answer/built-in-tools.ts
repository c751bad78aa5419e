import { type Answer, codeExecution, join, say } from "../../brain/answer.ts";
import { wordsOf } from "../../file-search/retrieve.ts";
import type { BrainTurn } from "../../brain/brain.ts";
import { groundingMetadata, supportsInTurn } from "../../respond/grounding.ts";
import { evaluate } from "../read/arithmetic.ts";
import type { Material } from "../read/material.ts";
import { quote } from "./small-talk.ts";

/** How grounded answers are worded: in plain ASCII, or with characters of two to four bytes, so that byte offsets matter. */
export type GroundedText = "plain" | "multibyte";

/** The built-in tools a request declares. */
export function declaredBuiltIns(turn: BrainTurn): ReadonlySet<string> {
  const tools = turn.request.tools ?? [];
  return new Set(tools.flatMap((tool) => Object.keys(tool).filter((key) => key !== "functionDeclarations")));
}

/** What the service would have searched for before it answers, if a search is needed: fields of the answer other than its parts. */
export function searchFor(
  turn: BrainTurn,
  material: Material,
  text: GroundedText,
  isNeeded: boolean,
): Answer | undefined {
  const builtIns = declaredBuiltIns(turn);
  const named = material.names[0] ?? material.quoted[0];
  const topic = named ?? "Pollux";
  if (isNeeded && (builtIns.has("googleSearch") || builtIns.has("googleSearchRetrieval"))) {
    const query =
      material.text
        .replaceAll(/\s+/g, " ")
        .replace(/^(?:please\s+)?search (?:the web |online )?for\s+/i, "")
        .replace(/[?!.]+$/, "")
        .slice(0, 80) || topic;
    const sources = ["example.com", "example.org", "example.net"].map((title) => ({ title }));
    const queries = named === undefined ? [query] : [query, `${named} latest`];
    return { parts: [], search: { queries, sources } };
  }
  if (isNeeded && builtIns.has("googleMaps")) {
    const places =
      text === "multibyte" ? [`Café ${topic}`, `${topic} 漢字 Museum`] : [`${topic} Cafe`, `${topic} Museum`];
    const sources = places.map((title) => ({ title }));
    return { parts: [], search: { kind: "maps", queries: [], sources } };
  }
  if (builtIns.has("urlContext") && material.urls.length > 0) {
    const urlMetadata = material.urls.map((retrievedUrl) => ({
      retrievedUrl,
      urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS",
    }));
    const sources = material.urls.map((uri) => ({ title: new URL(uri).hostname, uri }));
    return { parts: [], search: { kind: "url", queries: [], sources }, urlContext: { urlMetadata } };
  }
  const retrieved = turn.retrieve(turn.prompt);
  if (retrieved.length > 0) {
    const sources = retrieved.map(({ retrievedContext }) => ({
      title: retrievedContext?.title ?? "a document",
      retrievedContext,
    }));
    return { parts: [], search: { kind: "files", queries: [], sources } };
  }
  return undefined;
}

/** What a document says, in its sentence that shares the most words with the question. */
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

/** The "search results" in one sentence for each source. */
export function sayFound(turn: BrainTurn, found: Answer, material: Material, text: GroundedText): string {
  const kind = found.search?.kind ?? "web";
  const sources = found.search?.sources ?? [];
  if (kind === "files")
    return sources.map((source) => sayRetrieved(source.retrievedContext?.text ?? "", turn.prompt)).join(" ");
  const titles = sources.map((source) => source.title);
  if (text === "multibyte") {
    if (kind === "maps") return `Nearby are ${titles.join(" and ")}. Both are open today 🗺️.`;
    if (kind === "url")
      return `The page at ${titles.join(", ")} was read. It says what ${quote(turn.prompt)} asks for 📄.`;
    return `Three sites cover ${quote(turn.prompt)}. The café’s résumé names 漢字 and an emoji 🌧️. The third adds the details.`;
  }
  if (kind === "maps") return `${titles[0]} is nearby. ${titles[1]} is a short walk away.`;
  const topic = plainTopic(material);
  if (kind === "url") return titles.map((title) => `The page at ${title} covers ${topic ?? "the topic"}.`).join(" ");
  return `${titles[0]} has ${topic === undefined ? "an answer" : `an overview of ${topic}`}. ${titles[1]} goes into the details. ${titles[2]} lists the latest changes.`;
}

/** Said after the "search results", so that nobody takes them for real. */
export const SAMPLE_SOURCES = "The sources are samples: the emulator does not search.";

function plainTopic({ topic, names, quoted }: Material): string | undefined {
  const bare = topic
    .replaceAll(/https?:\/\/\S+/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  // A question is about what it ends with.
  const isQuestion =
    /^(?:new|latest|happening|who|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|will)\b/i.test(
      bare,
    );
  const subject = isQuestion ? (/\b(?:in|about|of|on|for|with)\s+(.+)$/i.exec(bare)?.[1] ?? "") : bare;
  const wanted = [subject, ...quoted, ...names].find(
    (text) => /^[\x20-\x7E]{2,60}$/.test(text) && !/[.!?,:]\s/.test(text),
  );
  return wanted?.replace(/[.!?]+$/, "");
}

/** Grounds only the "search results" in the sources, not what functions returned. */
export function supportFound(said: string, found: Answer): Answer {
  if (found.search === undefined) return found;
  const supports = supportsInTurn(said, found.search.sources.length);
  return { ...found, search: { ...found.search, supports } };
}

/** Grounding of an answer whose search parts were sent in an earlier step of the turn. */
export function groundedLater(found: Answer, said: string, turn: BrainTurn): Answer {
  if (found.search === undefined || turn.request.generationConfig?.responseMimeType === "application/json")
    return found;
  const { search, ...rest } = found;
  return { ...rest, grounding: groundingMetadata(search, said, turn.profile) };
}

/** Code that was "executed", if the request allows it. */
export function runCode(turn: BrainTurn, material: Material, remarked: (said: string) => string): Answer | undefined {
  if (!declaredBuiltIns(turn).has("codeExecution")) return undefined;
  const expression =
    material.expressions[0] ?? `${material.numbers[0]?.value ?? 6} * ${material.numbers[1]?.value ?? 7}`;
  const result = evaluate(expression) ?? 42;
  const code = `result = ${expression.replaceAll("^", "**").replaceAll("×", "*").replaceAll("÷", "/")}\nprint(result)\n`;
  return join(codeExecution(code, `${result}\n`), say(remarked(`The code prints ${result}.`)));
}
