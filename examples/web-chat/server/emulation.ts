import { type Answer, type Brain, type BrainTurn, type EmulatorOptions, parts, say, think } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { paintLandscape } from "./paint-landscape.ts";

/** How the emulator answers in this example: at the speed of a model, and in Markdown. */
export function emulation(): EmulatorOptions {
  return { brain: new ChattyBrain(), delays: { firstByteMs: 250, chunkMs: 45 }, deltaCharacters: 10 };
}

/** Calls what `improvise()` calls, and says more about it. */
class ChattyBrain implements Brain {
  readonly #improvised = improvise();

  async answer(turn: BrainTurn): Promise<Answer> {
    if (turn.model.imageOutput) return parts(paintLandscape(turn.prompt));
    if (turn.model.audioOutput) return await this.#improvised.answer(turn);
    // It would search for every prompt.
    const tools = turn.request.tools?.filter((tool) => tool.googleSearch === undefined);
    const answer = await this.#improvised.answer({ ...turn, request: { ...turn.request, tools } });
    const named = answer.parts.map(({ part }) => part.functionCall?.name);
    if (named.some((name) => name !== undefined)) {
      // Whatever acts, acts once.
      const isMeant = (name: string | undefined, index: number): boolean =>
        name === undefined || name === "get_weather" || named.indexOf(name) === index;
      return { ...answer, parts: answer.parts.filter((_part, index) => isMeant(named[index], index)) };
    }
    const said = answer.parts.filter(({ part }) => part.thought !== true).map(({ part }) => part.text ?? "");
    const isSearched = /\b(?:search|news|latest|recent|look up|web)\b/i.test(turn.prompt);
    const found = isSearched ? findingsOn(turn.prompt) : undefined;
    const reports = reportsOn(turn) ?? (turn.responses.length > 0 ? said.join("") : undefined);
    const text = [reports, found?.text].filter((one) => one !== undefined).join("\n\n");
    const spoken = say(text === "" ? tellMore(turn, said.join("")) : withRemark(turn, text));
    const { parts: thoughts } = think(thoughtOn(turn, isSearched));
    return { ...answer, parts: [...thoughts, ...spoken.parts], search: found?.search };
  }
}

/** An answer from "the web", and which source supports which part. */
function findingsOn(prompt: string): { readonly text: string; readonly search: NonNullable<Answer["search"]> } {
  const topic = prompt
    .replaceAll(/[\s?!.]+/g, " ")
    .trim()
    .slice(0, 60);
  const claims = [
    "Gemini models call functions and search the web in one answer",
    "each claim can be traced to a range of the text",
    "search suggestions have to be shown next to a grounded answer",
  ] as const;
  const [calls, ranges, suggestions] = claims;
  return {
    text: `Three pages were found:\n\n- **Tools**: ${calls}.\n- **Citations**: ${ranges}, and\n- **Suggestions**: ${suggestions}.`,
    search: {
      queries: [topic, "gemini grounding"],
      sources: [{ title: "ai.google.dev" }, { title: "wikipedia.org" }, { title: "example.com" }],
      supports: [
        { text: calls, sources: [0] },
        { text: ranges, sources: [0, 1] },
        { text: suggestions, sources: [2] },
      ],
    },
  };
}

function thoughtOn({ responses, prompt }: BrainTurn, isSearched: boolean): string {
  if (isSearched) return "**Looking it up**\n\nThis may have changed lately, so I search the web first.";
  if (responses.length === 0)
    return `**Reading the message**\n\nIt has ${prompt.length} characters, and no tool fits it.`;
  return `**Reading the results**\n\n${responses.length} ${responses.length === 1 ? "call has" : "calls have"} answered. I'll put them together.`;
}

/** The results of the turn's calls, each in its own form; undefined if there were none, or if one has no form here. */
function reportsOn({ sincePrompt }: BrainTurn): string | undefined {
  const responses = sincePrompt.flatMap(({ parts: said }) => said.flatMap((part) => part.functionResponse ?? []));
  const reports = responses.map(({ name, response }) => {
    const output: unknown = response["output"] ?? response;
    return "error" in response ? `\`${name}\` did not run: ${String(response["error"])}` : reportOf(name, output);
  });
  return reports.length === 0 || reports.includes(undefined) ? undefined : reports.join("\n\n");
}

function reportOf(name: string, output: unknown): string | undefined {
  const fields = typeof output === "object" && output !== null ? Object.entries(output) : [];
  const value = (field: string): string => String(fields.find(([key]) => key === field)?.[1] ?? "");
  const days: unknown = fields.find(([key]) => key === "days")?.[1];
  if (Array.isArray(days)) return `## ${value("city")}\n\n${tableOf(days)}`;
  if (name === "place_order")
    return `Done. Order **${value("orderNumber")}**: ${value("quantity")} × ${value("item")}, ${value("state")}.`;
  if (name === "deep_research") return value("text");
  if (name === "read_aloud") return `I have read it aloud: “${value("title")}”`;
  if (name === "draw_picture") return `Here is ${value("title")}.`;
  return undefined;
}

function tableOf(rows: readonly object[]): string {
  const names = Object.keys(rows[0] ?? {});
  const line = (cells: readonly unknown[]): string => `| ${cells.map(String).join(" | ")} |`;
  return [line(names), line(names.map(() => "---")), ...rows.map((row) => line(Object.values(row)))].join("\n");
}

/** Says once in a conversation who answers. */
function withRemark(turn: BrainTurn, text: string): string {
  return wasSaid(turn, "This is the local emulator") ? text : `${text}\n\n${REMARK}`;
}

const REMARK = "_This is the local emulator: set `GEMINI_API_KEY` to talk to a model._";

function wasSaid({ request }: BrainTurn, words: string): boolean {
  return request.contents.some(
    ({ role, parts: said }) => role === "model" && said.some(({ text }) => text?.includes(words) === true),
  );
}

/** Adds suggestions to the first answer of this kind. */
function tellMore(turn: BrainTurn, said: string): string {
  if (wasSaid(turn, "Things to try here")) return said;
  return `${said}

Things to try here:

1. **Weather** in two cities at once: the calls run in parallel and report progress.
2. An **order**, which waits for your approval.
3. A **calculation**: calculate \`17 * 23\`.
4. A **picture**, or an image of yours: paste, drop or pick one.
5. A **voice**: let a text be read aloud.

\`\`\`ts
const agent = new Agent({ model: "gemini-flash-latest", tools: [getWeather, googleSearch()] });
\`\`\`

While an answer is being written you can stop it, add something, or reload the page.`;
}
