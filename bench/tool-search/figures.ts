import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, type AgentOptions, defineTool, endpoint, gemini, type Model, type Tool } from "@pollux/core";
import { call, createEmulator, say, script, type ScriptLine } from "@pollux/emulator";
import { toolSearch } from "@pollux/tools/tool-search";
import { z } from "zod";

const PAGE = join(import.meta.dirname, "../../docs/guides/tool-search.md");
const BEGIN = "<!-- figures: written by `pnpm figures:tool-search` -->";
const END = "<!-- end of figures -->";

/** Tools that the run needs, one after the other. */
const NEEDED = 10;

/** Writes what each way costs into the page. */
export async function writeFigures(): Promise<void> {
  const text = await readFile(PAGE, "utf8");
  await writeFile(PAGE, withFigures(text, await measureWays()));
}

/** The page with these figures. @throws {Error} If it has lost its markers. */
export function withFigures(text: string, table: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page needs the lines "${BEGIN}" and "${END}" around its figures`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${table}\n\n${text.slice(end)}`;
}

/** What each way to offer 500 tools costs in a run that needs ten of them, as a table. Deterministic: the emulator counts. */
export async function measureWays(): Promise<string> {
  const tools = makeTools();
  const needed = Array.from({ length: NEEDED }, (_, index) => tools[(index * 47 + 11) % tools.length] as Tool);
  const searches = toolSearch(tools, { budgetTokens: 0 });
  const search = searches.find(({ name }) => name === "search_tools") as Tool;
  const asks = ({ name }: Tool) => call("search_tools", { query: name.replaceAll("_", " "), limit: 3 });
  const input = { year: 2025, country: "NO" };
  const found: Tool[] = [];
  const rows = [
    await measure("all declared", serve(needed.map(({ name }) => call(name, input))), (model) => ({ model, tools })),
    await measure(
      "`tools` changed in the run",
      serve(needed.flatMap((tool) => [asks(tool), call(tool.name, input)])),
      (model) => ({
        model,
        tools: [search],
        hooks: {
          prepareTurn: ({ turn }) => {
            const next = turn % 2 === 0 ? needed[turn / 2 - 1] : undefined;
            if (next !== undefined) found.push(next);
            return { tools: [search, ...found] };
          },
        },
      }),
    ),
    await measure(
      "`toolSearch`",
      serve(needed.flatMap((tool) => [asks(tool), call("call_tool", { name: tool.name, input })])),
      (model) => ({ model, tools: searches }),
    ),
  ];
  const head = "| 500 tools, of which ten are called | turns | tokens sent | cached | share | not cached |";
  return [head, "| --- | --- | --- | --- | --- | --- |", ...rows].join("\n");
}

async function measure(name: string, model: Model, optionsOf: (model: Model) => AgentOptions): Promise<string> {
  const { turns, usage, toolCalls, stopReason } = await new Agent(optionsOf(model)).run(
    "Compare these ten reports.",
    {},
  );
  const done = toolCalls.filter((one) => one.status === "completed" && one.name !== "search_tools").length;
  if (stopReason !== "finished" || done !== NEEDED) throw new Error(`${name}: ${stopReason} after ${done} calls`);
  const { inputTokens, cachedTokens } = usage;
  const share = `${Math.round((100 * cachedTokens) / inputTokens)}%`;
  const figures = [turns, inputTokens, cachedTokens].map((one) => one.toLocaleString("en-US"));
  return `| ${[name, ...figures, share, (inputTokens - cachedTokens).toLocaleString("en-US")].join(" | ")} |`;
}

/** A service of its own, whose cache is empty. */
function serve(lines: readonly ScriptLine[]): Model {
  const emulator = createEmulator({ brain: script([...lines, say("They agree.")]) });
  return gemini("gemini-3.8-flash", {
    endpoint: endpoint({ baseUrl: "http://emulator.local", apiKey: "emulator" }),
    fetch: (url, init) => emulator.fetch(url, init),
  });
}

const AREAS = [
  "invoice",
  "order",
  "customer",
  "ticket",
  "shipment",
  "payment",
  "contract",
  "employee",
  "asset",
  "visit",
];
const KINDS = ["summary", "history", "forecast", "audit", "export"];

function makeTools(): readonly Tool[] {
  return AREAS.flatMap((area) =>
    KINDS.flatMap((kind) =>
      Array.from(
        { length: 10 },
        (_, region) =>
          defineTool({
            name: `${area}_${kind}_region_${region}`,
            description: `Gives the ${kind} of each ${area} in region ${region}, with totals by month and the responsible person.`,
            input: z.object({
              year: z.int().describe("Calendar year, from 2015 on"),
              country: z.string().describe("Country, ISO 3166 code of two letters"),
              currency: z
                .enum(["EUR", "USD", "NOK"])
                .optional()
                .describe("Currency of amounts; that of the country if absent"),
              page: z.int().min(1).optional().describe("Page of the result, 1 if absent"),
            }),
            effects: "none",
            // About 1 KB.
            run: ({ year, country }) => ({
              area,
              country,
              months: Array.from({ length: 12 }, (_none, month) => {
                return {
                  month: `${year}-${month + 1}`,
                  total: 1000 + 17 * month + region,
                  responsible: `Person ${month}`,
                };
              }),
            }),
          }) as Tool<never> as unknown as Tool,
      ),
    ),
  );
}
