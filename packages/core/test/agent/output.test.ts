import { Agent, ConfigurationError, defineTool, finished, googleSearch } from "@pollux/core";
import { OutputMissingError } from "@pollux/core/errors";
import { call, grounded, say, ScriptedModel, blocked } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { planOutput } from "../../src/agent/output.ts";
import { typed } from "../helpers/faces.ts";
import { growthOf } from "../helpers/growth.ts";

const look = defineTool({ name: "look", description: "Looks.", run: () => "a cat" });
const schema = z.object({ animal: z.string(), legs: z.number().int() });

describe.each(["run", "stream"])("%s", (face) => {
  test("asks for the schema with every request where functions and JSON go together, and checks the answer", async () => {
    const model = new ScriptedModel(call("look"), say('{"animal":"cat",', '"legs":4}'));
    const result = await typed(face, new Agent({ model, tools: [look] }), "What is there?", { output: schema });
    expect(finished(result).output).toEqual({ animal: "cat", legs: 4 });
    expect(model.requests.map(({ output }) => Object.keys(output?.schema?.["properties"] ?? {}))).toEqual([
      ["animal", "legs"],
      ["animal", "legs"],
    ]);
    expect(result.contents).toHaveLength(4);
  });

  test("puts the answer into the schema by a last request without tools where they do not go together", async () => {
    const model = ScriptedModel.with(
      { capabilities: { outputWithFunctions: false } },
      call("look"),
      say("There is a cat."),
      say('{"animal":"cat","legs":4}'),
    );
    const result = await typed(face, new Agent({ model, tools: [look] }), "What is there?", { output: schema });
    expect(finished(result)).toMatchObject({ output: { animal: "cat", legs: 4 }, text: "There is a cat.", turns: 3 });
    expect(model.requests.map(({ output, functions }) => [output === undefined, functions.length])).toEqual([
      [true, 1],
      [true, 1],
      [false, 0],
    ]);
    // The extraction is not part of what was said.
    expect(result.contents.at(-1)).toEqual({ role: "model", parts: [{ text: "There is a cat." }] });
  });

  test("with search the answer is prose first, so that citations survive", async () => {
    const model = new ScriptedModel(
      grounded("Cats have 4 legs.", {
        sources: [{ uri: "https://cats.example", title: "cats" }],
        queries: ["cat legs"],
      }),
      say('{"animal":"cat","legs":4}'),
    );
    const result = await typed(face, new Agent({ model, tools: [googleSearch()] }), "Cats?", { output: schema });
    expect(finished(result)).toMatchObject({
      output: { animal: "cat", legs: 4 },
      text: "Cats have 4 legs.",
      groundedBy: "native",
    });
    expect(result.citations).toHaveLength(1);
    expect(model.requests.map(({ builtIns }) => builtIns.length)).toEqual([1, 0]);
  });

  test("an answer that does not fit is corrected twice and then ends the run", async () => {
    const good = new ScriptedModel(
      say("a cat"),
      say('{"animal":"cat"}'),
      say('```json\n{"animal":"cat","legs":4}\n```'),
    );
    expect(finished(await typed(face, new Agent({ model: good }), "?", { output: schema })).output).toEqual({
      animal: "cat",
      legs: 4,
    });
    expect(good.requests[2]?.contents.at(-1)?.parts[0]?.text).toContain("legs");

    const bad = new ScriptedModel(say("a"), say("b"), say("c"));
    const result = await typed(face, new Agent({ model: bad }), "?", { output: schema });
    expect(result).toMatchObject({ stopReason: "invalid-output", text: "c" });
    expect(result.stopReason === "invalid-output" && result.problem).toContain("not JSON");
    expect(() => finished(result)).toThrow(OutputMissingError);
    expect(() => finished(result)).toThrow(
      /^the run did not finish: it ended with "invalid-output" \(not JSON.*\), after 1 turn\(s\) and 3 request\(s\)$/,
    );
  });

  test("zod 3 and transforms work, and any JSON can be asked for", async () => {
    const v3 = await typed(face, new Agent({ model: new ScriptedModel(say('{"n":1}')) }), "?", {
      output: z3.object({ n: z3.number() }),
    });
    expect(finished(v3).output.n).toBe(1);
    const dated = await typed(face, new Agent({ model: new ScriptedModel(say('{"on":"2026-11-21"}')) }), "?", {
      output: z.object({ on: z.string().transform((text) => text.length) }),
    });
    expect(finished(dated).output.on).toBe(10);
    const model = new ScriptedModel(say("[1,2]"));
    expect(finished(await typed(face, new Agent({ model }), "?", { output: "json" })).output).toEqual([1, 2]);
    expect(model.requests[0]?.output).toEqual({ schema: undefined });
  });

  test("a withheld answer has no output", async () => {
    const result = await typed(face, new Agent({ model: new ScriptedModel(blocked()) }), "?", { output: schema });
    expect(result.stopReason).toBe("blocked");
    expect("output" in result).toBe(false);
  });
});

test("a model that cannot answer in JSON is an error before any request", async () => {
  const model = ScriptedModel.with({ id: "gemini-picture", capabilities: { jsonOutput: false } });
  await expect(new Agent({ model }).run("?", { output: schema })).rejects.toThrow(ConfigurationError);
  expect(model.requests).toHaveLength(0);
});

describe("JSON in a Markdown fence", () => {
  const plan = planOutput("json", new ScriptedModel(), {
    toolset: { functions: [], builtIns: [], byName: new Map() },
    delegates: false,
  });

  test.each([
    ['```json\n{"a":1}\n```', { a: 1 }],
    ['\n ```\n\n{"a":1}```\n ', { a: 1 }],
    ['```json \n"```"\n```', "```"],
    ['{"a":"```"}', { a: "```" }],
  ])("%j is read", async (text, value) => {
    expect(await plan.parse(text)).toEqual({ ok: true, value });
  });

  test.each(["```", "```json", "```\n```", '```json{"a":1}```', '```js\n{"a":1}\n```', '```\n{"a":1}'])(
    "%j is not JSON",
    async (text) => {
      expect(await plan.parse(text)).toMatchObject({ ok: false, problem: expect.stringMatching(/^not JSON/) });
    },
  );

  test.each([
    ["blank lines", (size: number) => `\`\`\`${"\n".repeat(size)}x`],
    ["fences", (size: number) => `\`\`\`\n${"```  ".repeat(size)}x`],
  ])("an answer of %s is read in time linear in its length", (_what, textOf) => {
    // Quadratic work would take 64 times as long.
    expect(growthOf((size) => void plan.parse(textOf(size)), 2_000, 8)).toBeLessThan(32);
  });
});
