import { Agent, ConfigurationError } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import fc from "fast-check";
import { expect } from "vitest";
import { openApiSearch, openApiTools } from "../../src/openapi.ts";
import { use } from "../mcp/support.ts";
import { processorTime } from "../helpers/processor-time.ts";
import { hostileDocument } from "./hostile-documents.ts";

/** Only ends a hang: a hundred times the time of the slowest document on a machine of 2020. */
const FREEZE_MS = 20_000;

/** Turns many hostile documents into tools: each becomes tools or is refused with a typed error, and none takes long. */
export async function survivesDocuments(count: number): Promise<void> {
  let made = 0;
  const property = fc.asyncProperty(hostileDocument, async (document) => {
    const took = await processorTime(async () => {
      try {
        const { tools } = openApiTools(document, { operations: () => true });
        made += tools.length;
        // The declaration can be serialized for the service.
        if (tools.length > 0) await new Agent({ model: new ScriptedModel(say("ok")), tools }).run("hello");
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError);
      }
      try {
        const tools = openApiSearch(document);
        // A document whose operations cannot be described has no tools.
        if (tools.length > 0) expect(await use(tools, "search_tools", { query: "a" })).toMatchObject({ ok: true });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError);
      }
    });
    expect(took).toBeLessThan(FREEZE_MS);
  });
  await fc.assert(property, { numRuns: count });
  // Otherwise the test would have tried nothing.
  expect(made).toBeGreaterThan(count / 10);
}
