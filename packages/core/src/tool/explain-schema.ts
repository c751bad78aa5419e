import type { Tool } from "./tool.ts";

/** What is sent for a tool and what was changed in its schema on the way, as text to read. */
export function explainSchema(tool: Tool): string {
  const changes = tool.schemaChanges.map(({ path, change }) => `- ${path === "" ? "(root)" : path}: ${change}`);
  return [
    `${tool.name}: ${tool.description}`,
    "",
    "Sent as parametersJsonSchema:",
    JSON.stringify(tool.declaration.parametersJsonSchema, null, 2),
    "",
    changes.length === 0 ? "Nothing was changed on the way." : "Changed on the way:",
    ...changes,
  ].join("\n");
}
