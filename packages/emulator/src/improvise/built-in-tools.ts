import { type Answer, codeExecution, join, say } from "../brain/answer.ts";
import type { BrainTurn } from "../brain/brain.ts";
import { groundingMetadata, supportsInTurn } from "../respond/grounding.ts";
import { evaluate } from "./arithmetic.ts";
import type { Material } from "./material.ts";
import { EMULATED, quote } from "./say.ts";

/** The built-in tools a request declares. */
export function declaredBuiltIns(turn: BrainTurn): ReadonlySet<string> {
  const tools = turn.request.tools ?? [];
  return new Set(tools.flatMap((tool) => Object.keys(tool).filter((key) => key !== "functionDeclarations")));
}

/** What the service would have searched for before it answers: fields of the answer other than its parts. */
export function searchFor(turn: BrainTurn, material: Material): Answer | undefined {
  const builtIns = declaredBuiltIns(turn);
  const topic = material.names[0] ?? material.quoted[0] ?? "Pollux";
  if (builtIns.has("googleSearch") || builtIns.has("googleSearchRetrieval")) {
    const query =
      turn.prompt
        .replaceAll(/\s+/g, " ")
        .replace(/[?!.]+$/, "")
        .slice(0, 80) || topic;
    const sources = ["example.com", "wikipedia.org", "nrk.no"].map((title) => ({ title }));
    return { parts: [], search: { queries: [query, `${topic} latest`], sources } };
  }
  if (builtIns.has("googleMaps")) {
    const sources = [`Café ${topic}`, `${topic} 漢字 Museum`].map((title) => ({ title }));
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
  return undefined;
}

/** The "search results" in sentences whose characters take one to four bytes, so that byte offsets matter. */
export function sayFound(turn: BrainTurn, found: Answer): string {
  const kind = found.search?.kind ?? "web";
  const titles = (found.search?.sources ?? []).map((source) => source.title);
  if (kind === "maps") return `Nearby are ${titles.join(" and ")}. Both are open today 🗺️.`;
  if (kind === "url")
    return `The page at ${titles.join(", ")} was read. It says what ${quote(turn.prompt)} asks for 📄.`;
  return `Three sites were searched for ${quote(turn.prompt)}. The café’s résumé names 漢字 and an emoji 🌧️. Nothing was really looked up.`;
}

/** Grounds only the "search results" in the sources, not what functions returned. */
export function supportFound(turn: BrainTurn, found: Answer): Answer {
  if (found.search === undefined) return found;
  return {
    ...found,
    search: { ...found.search, supports: supportsInTurn(sayFound(turn, found), found.search.sources.length) },
  };
}

/** Grounding of an answer whose search parts were sent in an earlier step of the turn. */
export function groundedLater(found: Answer, said: string, turn: BrainTurn): Answer {
  if (found.search === undefined || turn.request.generationConfig?.responseMimeType === "application/json")
    return found;
  const { search, ...rest } = found;
  return { ...rest, grounding: groundingMetadata(search, said, turn.profile) };
}

/** Code that was "executed", if the request allows it. */
export function runCode(turn: BrainTurn, material: Material): Answer | undefined {
  if (!declaredBuiltIns(turn).has("codeExecution")) return undefined;
  const expression = material.expressions[0] ?? `${material.numbers[0] ?? 6} * ${material.numbers[1] ?? 7}`;
  const result = evaluate(expression) ?? 42;
  const code = `result = ${expression.replaceAll("^", "**").replaceAll("×", "*").replaceAll("÷", "/")}\nprint(result)\n`;
  return join(codeExecution(code, `${result}\n`), say(`${EMULATED} The code prints ${result}.`));
}
