import { defineTool } from "@pollux/core";
import { z } from "zod";

/** What the MCP servers serve. */
export const double = defineTool({
  name: "double",
  description: "Doubles a number.",
  input: z.object({ n: z.number() }),
  run: ({ n }) => ({ doubled: 2 * n }),
});
