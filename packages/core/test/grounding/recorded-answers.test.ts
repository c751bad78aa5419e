import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { resolveCitations } from "../../src/grounding/citations.ts";
import { collectSources } from "../../src/grounding/sources.ts";
import { renderMarkdown } from "../../src/grounding/render-markdown.ts";
import type { ModelResponse } from "../../src/model/model.ts";
import type { Part } from "../../src/wire/types/content.ts";
import type { GenerateContentResponse } from "../../src/wire/types/generate-content.ts";
import { answer } from "./answers.ts";

const RECORDINGS = new URL("../../../../../shared/recordings/", import.meta.url).pathname;

interface Recording {
  readonly fidelity: readonly string[];
  readonly exchanges: readonly { readonly responseBody?: string; readonly framing?: string }[];
}

interface GroundedAnswer {
  readonly name: string;
  readonly drifted: boolean;
  readonly response: ModelResponse;
}

function groundedAnswers(): GroundedAnswer[] {
  return globSync("*/*.json", { cwd: RECORDINGS }).flatMap((name) => {
    const recording = JSON.parse(readFileSync(RECORDINGS + name, "utf8")) as Recording;
    // Where the recorder changed quotes and dashes, the offsets are no longer the service's: as good as drift.
    const drifted = recording.fidelity.includes("smart-quotes-and-dashes-normalised");
    return recording.exchanges
      .filter(({ responseBody }) => responseBody?.includes("groundingSupports"))
      .map((exchange) => ({ name, drifted, response: wholeAnswer(chunksOf(exchange)) }));
  });
}

function chunksOf({
  responseBody = "",
  framing,
}: {
  readonly responseBody?: string;
  readonly framing?: string;
}): GenerateContentResponse[] {
  if (framing !== "sse") return [JSON.parse(responseBody)].flat() as GenerateContentResponse[];
  return responseBody
    .split(/\r?\n\r?\n/)
    .filter((frame) => frame.startsWith("data: "))
    .map((frame) => JSON.parse(frame.slice(6)) as GenerateContentResponse);
}

function wholeAnswer(chunks: readonly GenerateContentResponse[]): ModelResponse {
  const parts: Part[] = [];
  const candidate = {};
  for (const chunk of chunks) {
    const { content, ...rest } = chunk.candidates?.[0] ?? {};
    parts.push(...(content?.parts ?? []));
    Object.assign(candidate, rest);
  }
  return answer(parts, candidate);
}

describe.skipIf(!existsSync(RECORDINGS))("recorded grounded answers", () => {
  const answers = existsSync(RECORDINGS) ? groundedAnswers() : [];

  test.each([
    ["as the service sent them", false, 0.9],
    ["whose quotes the recorder changed", true, 0.5],
  ])("%s keep their citations", (_name, drifted, leastExact) => {
    const matches = { exact: 0, moved: 0, unverified: 0 };
    const chosen = answers.filter((one) => one.drifted === drifted);
    for (const { response } of chosen)
      for (const { match } of resolveCitations(response, collectSources([response]).sources)) matches[match]++;
    console.info(`${chosen.length} answers: ${JSON.stringify(matches)}`);
    const total = matches.exact + matches.moved + matches.unverified;
    expect(total).toBeGreaterThan(20);
    expect(matches.unverified / total).toBeLessThan(0.05);
    expect(matches.exact / total).toBeGreaterThanOrEqual(leastExact);
  });

  test.each(answers.map(({ name, response }) => [name, response] as const))(
    "%s: each range holds what the service says, and the text survives",
    (_name, response) => {
      const { sources } = collectSources([response]);
      const text = response.content.parts.map((part) => (part.thought === true ? "" : (part.text ?? ""))).join("");
      const citations = resolveCitations(response, sources);
      for (const { start, end, text: said, match } of citations)
        if (match !== "unverified") expect(text.slice(start, end)).toBe(said);
      const rendered = renderMarkdown({ text, citations, sources });
      const body = sources.length === 0 ? rendered : rendered.slice(0, rendered.lastIndexOf("\n\n---\n\n"));
      expect(body.replace(/\[\d+\]/g, "").replace(/\s+/g, "")).toBe(text.replace(/\[\d+\]/g, "").replace(/\s+/g, ""));
    },
  );
});
