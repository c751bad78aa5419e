import { Agent, AgentError, defineTool } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import fc from "fast-check";
import { expect } from "vitest";
import { processorTime } from "../../helpers/processor-time.ts";
import { hostileArguments, hostileSchema } from "./hostile-schemas.ts";

/** Only ends a hang: a hundred times the time of the slowest schema on a machine of 2020. */
const FREEZE_MS = 20_000;

/**
 * Defines tools by many hostile schemas and calls them: each becomes a tool whose call is answered, or is rejected with a typed error.
 * Requests the same schemas as outputs.
 */
export async function survivesSchemas(count: number): Promise<void> {
  let made = 0;
  let called = 0;
  const property = fc.asyncProperty(hostileSchema, hostileArguments, async (input, args) => {
    const took = await processorTime(async () => {
      try {
        const tool = defineTool({ name: "look", description: "x", input, run: () => "seen" });
        made++;
        const model = new ScriptedModel(call("look", args), say("Here."));
        const result = await new Agent({ model, tools: [tool] }).run("Go.");
        expect(result.text).toBe("Here.");
        called++;
        JSON.stringify(model.requests);
      } catch (error) {
        expect(error).toBeInstanceOf(ToolDefinitionError);
      }
      try {
        const model = new ScriptedModel(...Array.from({ length: 4 }, () => say(JSON.stringify(args))));
        await new Agent({ model }).run("Go.", { output: input });
      } catch (error) {
        expect(error).toBeInstanceOf(AgentError);
      }
    });
    expect(took).toBeLessThan(FREEZE_MS);
    expect("polluted" in {}).toBe(false);
  });
  await fc.assert(property, { numRuns: count });
  // Otherwise the test would have tried nothing.
  expect({ made: made > count / 10, called: called > count / 50 }).toEqual({ made: true, called: true });
}
