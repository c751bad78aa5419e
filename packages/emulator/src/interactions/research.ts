import { type Fields, isFields } from "../internal/json.ts";
import type { InteractionRequest } from "./check-interaction.ts";

/** A passage of a report, with its sources. */
export interface ResearchPassage {
  readonly text: string;
  readonly sources?: readonly { readonly title: string; readonly url?: string | undefined }[] | undefined;
}

/** Scripts an agent. The emulator makes up omitted fields from the question. */
export interface ResearchScript {
  /** Summaries of its thoughts, one before each search and one at the end. */
  readonly thoughts?: readonly string[] | undefined;
  readonly queries?: readonly string[] | undefined;
  readonly report?: readonly ResearchPassage[] | undefined;
  /** Base64 of a PNG in the middle of the report. */
  readonly image?: string | undefined;
  /** How the research ends; `in_progress` never ends. Default: `completed`. */
  readonly status?: "completed" | "failed" | "incomplete" | "in_progress" | undefined;
  /** Errors of a failed research. */
  readonly errors?: readonly { readonly code: string; readonly message: string }[] | undefined;
}

/** The steps of a research without ids and signatures, and how it ends. */
export interface Research {
  readonly status: string;
  readonly steps: readonly Fields[];
  readonly errors?: readonly object[] | undefined;
}

/**
 * Plays deep research: thoughts, searches, and a report with citations; or a plan, if one is wanted first.
 *
 * @param before - The steps of the plans that the request answers; empty if it answers none.
 */
export function research(
  { raw, input }: InteractionRequest,
  before: readonly Fields[],
  script: ResearchScript = {},
): Research {
  const [first, ...changes] = textsOf([...before, ...input]);
  const topic = (first ?? "the question").replace(/[?!.]+$/, "");
  const config = isFields(raw["agent_config"]) ? raw["agent_config"] : {};
  const thoughts = script.thoughts ?? [`Planning how to research “${topic}”.`, "Comparing what the sources say."];
  const hasSummaries = config["thinking_summaries"] === "auto";
  const think = (text: string | undefined): Fields => ({
    type: "thought",
    ...(hasSummaries && text !== undefined && { summary: [{ type: "text", text }] }),
  });
  if (config["collaborative_planning"] === true) {
    const requests = changes.map((change, index) => `\n${index + 4}. Keep to the request: ${change}`);
    const plan = `1. Search for ${topic}.\n2. Compare the sources.\n3. Write a report.${requests.join("")}`;
    const content = [{ type: "text", text: plan }];
    return { status: "requires_action", steps: [think(thoughts[0]), { type: "model_output", content }] };
  }
  const queries = script.queries ?? [topic, `${topic} explained`];
  const searches = queries.flatMap((query, index): readonly Fields[] => [
    ...(index < thoughts.length ? [think(thoughts[index])] : []),
    { type: "google_search_call", arguments: { queries: [query] } },
    { type: "google_search_result", result: [{ search_suggestions: `<div class="chip">${escapeHtml(query)}</div>` }] },
  ]);
  const { status = "completed", errors } = script;
  if (status === "failed") {
    const given = errors ?? [{ code: "api_error", message: "The agent could not finish its research." }];
    return { status, steps: searches, errors: given };
  }
  const report = script.report ?? [
    { text: `# ${topic}\n\n` },
    { text: "The first source explains it – in naïve words.", sources: [{ title: "example.com" }] },
    { text: " " },
    { text: "Two others agree 🔬.", sources: [{ title: "example.org" }, { title: "example.net" }] },
  ];
  const rest = thoughts.slice(queries.length).map(think);
  return { status, steps: [...searches, ...rest, { type: "model_output", content: contentsOf(report, script.image) }] };
}

/** The last text of each user input. */
function textsOf(steps: readonly Fields[]): readonly string[] {
  return steps.flatMap(({ type, content }) => {
    const contents = type === "user_input" ? [content].flat() : [];
    const texts = contents.flatMap((one) => (typeof one === "string" ? one : isFields(one) ? one["text"] : []));
    return texts.findLast((text) => typeof text === "string") ?? [];
  });
}

/** Offsets count bytes. An image ends a text, and the next text counts from its own start. */
function contentsOf(report: readonly ResearchPassage[], image: string | undefined): readonly Fields[] {
  const middle = image === undefined ? report.length : Math.ceil(report.length / 2);
  const media = image === undefined ? [] : [{ type: "image", mime_type: "image/png", data: image }];
  return [textOf(report.slice(0, middle)), ...media, ...(image === undefined ? [] : [textOf(report.slice(middle))])];
}

function textOf(passages: readonly ResearchPassage[]): Fields {
  let text = "";
  const annotations: object[] = [];
  for (const { text: passage, sources = [] } of passages) {
    const start = Buffer.byteLength(text);
    text += passage;
    for (const { title, url } of sources) {
      const redirect = `https://vertexaisearch.cloud.google.com/grounding-api-redirect/${Buffer.from(title).toString("base64url")}`;
      const range = { start_index: start, end_index: Buffer.byteLength(text) };
      annotations.push({ type: "url_citation", url: url ?? redirect, title, ...range });
    }
  }
  return { type: "text", text, ...(annotations.length > 0 && { annotations }) };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
