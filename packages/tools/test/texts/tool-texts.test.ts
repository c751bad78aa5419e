import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Tool } from "@pollux/core";
import { expect, test } from "vitest";
import { askUser } from "../../src/ask-user.ts";
import { calculator } from "../../src/calculator.ts";
import { fileTools } from "../../src/files.ts";
import { httpRequest, webFetch } from "../../src/http.ts";
import { memoryNotes, noteTools } from "../../src/notes.ts";
import { openApiSearch } from "../../src/openapi.ts";
import { searchTool } from "../../src/search.ts";
import { shellTool } from "../../src/shell.ts";
import { loadSkills } from "../../src/skills.ts";
import { sqlTools } from "../../src/sql.ts";
import { timeTools } from "../../src/time.ts";
import { todoList } from "../../src/todo.ts";

const SOURCES = join(import.meta.dirname, "../../src");

const TOOLS: readonly Tool[] = [
  askUser(),
  calculator(),
  ...fileTools({ root: "/data", write: true }),
  webFetch(),
  httpRequest({ allow: ["api.example.com"], methods: ["GET", "POST"] }),
  ...noteTools({ store: memoryNotes() }),
  ...openApiSearch({
    openapi: "3.1.0",
    info: { title: "Shop", version: "1" },
    servers: [{ url: "https://shop.example" }],
    paths: { "/orders": { get: { operationId: "list_orders", responses: {} } } },
  }),
  searchTool({ search: async () => [] }),
  (await loadSkills(join(import.meta.dirname, "../../../../examples/skills"))).tool,
  shellTool({ cwd: "/data" }),
  ...sqlTools({ dialect: "postgres", query: async () => ({ rows: [] }) }),
  ...timeTools({ zone: "Europe/Berlin" }),
  ...todoList().tools,
];

test("every text that a model reads about a tool before it calls it is in the table", async () => {
  let table =
    "# Declarations\n\nWritten by `tool-texts.test.ts`: after a change, review the difference and run that test with `-u`.\n";
  for (const { name, declaration } of TOOLS) {
    table += `\n## ${name}\n\n\`\`\`text\n${declaration.description}\n`;
    for (const [path, text] of describedIn(declaration.parametersJsonSchema)) table += `${path}: ${text}\n`;
    table += "```\n";
  }
  await expect(table).toMatchFileSnapshot("declarations.md");
});

test("every error that a model reads is in the table, as the source writes it", async () => {
  let table =
    "# Errors\n\nWritten by `tool-texts.test.ts`: after a change, review the difference and run that test with `-u`.\n";
  const entries = await readdir(SOURCES, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.toSorted()) {
    const messages = messagesIn(await readFile(file, "utf8"));
    if (messages.length > 0)
      table += `\n## ${relative(SOURCES, file).replaceAll("\\", "/")}\n\n\`\`\`text\n${messages.join("\n")}\n\`\`\`\n`;
  }
  await expect(table).toMatchFileSnapshot("errors.md");
});

/** The descriptions in a schema, by the path of what they describe. */
function describedIn(schema: unknown, path = ""): [string, string][] {
  if (typeof schema !== "object" || schema === null) return [];
  const found: [string, string][] = [];
  if ("description" in schema && typeof schema.description === "string") found.push([path, schema.description]);
  if ("properties" in schema && typeof schema.properties === "object")
    for (const [name, one] of Object.entries(schema.properties ?? {}))
      found.push(...describedIn(one, path === "" ? name : `${path}.${name}`));
  if ("items" in schema) found.push(...describedIn(schema.items, `${path}[]`));
  return found;
}

/** The first arguments of `new ToolError(...)` and `new ModelRetry(...)`, each in one line. */
function messagesIn(source: string): string[] {
  return source
    .split(/new (?:ToolError|ModelRetry)\(/)
    .slice(1)
    .map(firstArgument);
}

function firstArgument(source: string): string {
  let depth = 0;
  let quote: string | undefined;
  for (const [at, character] of source.split("").entries()) {
    if (quote !== undefined) {
      // An expression in a template may hold quotes, but no template: they are balanced, and their depth does not matter.
      if (character === quote) quote = undefined;
    } else if (/["'`]/.test(character)) quote = character;
    else if (/[([{]/.test(character)) depth++;
    else if ((character === "," || character === ")") && depth === 0)
      return source.slice(0, at).trim().replaceAll(/\s+/g, " ");
    else if (/[)\]}]/.test(character)) depth--;
  }
  return source;
}
