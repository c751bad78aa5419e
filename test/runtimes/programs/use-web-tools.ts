/** Uses the tools that only need `fetch`, with one report per subpath of `@pollux/tools`. */
import { askUser } from "@pollux/tools/ask-user";
import { calculator } from "@pollux/tools/calculator";
import { noteTools } from "@pollux/tools/notes";
import { openApiTools } from "@pollux/tools/openapi";
import { searchTool } from "@pollux/tools/search";
import { timeTools } from "@pollux/tools/time";
import { todoList } from "@pollux/tools/todo";
import { toolSearch } from "@pollux/tools/tool-search";
import { askTool } from "./ask-tool.ts";

/** @param site - Address of the site of site.ts. */
export async function useWebTools(site: string): Promise<Readonly<Record<string, unknown>>> {
  const todos = todoList();
  const notes = noteTools();
  await askTool(notes, "write_note", { text: "Ada lives in Oslo." });
  await askTool(todos.tools, "set_todos", { items: [{ text: "Pack", status: "doing" }] });
  const { tools } = openApiTools({
    openapi: "3.1.0",
    info: { title: "Cities", version: "1" },
    servers: [{ url: site }],
    paths: {
      "/cities/{name}": {
        get: {
          operationId: "city",
          parameters: [{ name: "name", in: "path", required: true, schema: { type: "string" } }],
          responses: { "200": { description: "OK" } },
        },
      },
      "/moved": { get: { operationId: "moved", responses: { "200": { description: "OK" } } } },
    },
  });
  return {
    "ask-user": await askTool([askUser({ ask: async () => "Blue." })], "ask_user", { question: "Which color?" }),
    calculator: await askTool([calculator()], "calculator", { expression: "(1/3 + 1) * 90 km/h to m/s" }),
    notes: ((await askTool(notes, "search_notes", { query: "Oslo" })) as { output: { found: number } }).output.found,
    openapi: { answer: await askTool(tools, "city", { name: "Tromsø" }), moved: await askTool(tools, "moved", {}) },
    search: await askTool(
      [searchTool({ search: (query) => [{ uri: `https://example.com/${query}`, title: "Found" }] })],
      "web_search",
      { query: "oslo" },
    ),
    time: await askTool(timeTools({ zone: "Europe/Oslo" }), "time_between", {
      from: "2026-03-28T12:00",
      to: "2026-03-29T12:00",
    }),
    todo: todos.items,
    "tool-search": await askTool(toolSearch([calculator()], { budgetTokens: 0 }), "call_tool", {
      name: "calculator",
      input: { expression: "1/2" },
    }),
  };
}
