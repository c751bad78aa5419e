import { defineTool } from "@pollux/core";
import { z } from "zod";

/** The tool of the MCP servers. */
export const double = defineTool({
  name: "double",
  description: "Doubles a number.",
  input: z.object({ n: z.number() }),
  run: ({ n }) => ({ doubled: 2 * n }),
});
