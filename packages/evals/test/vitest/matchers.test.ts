import { Agent, defineTool, type RunResult } from "@pollux/core";
import { calls, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { evalMatchers } from "../../src/vitest/index.ts";
import { tryAgent } from "../helpers/trial.ts";

const input = z.object({ query: z.string() });
const search = defineTool({ name: "search", description: "Searches.", input, run: ({ query }) => `about ${query}` });

function agent(): Agent {
  const model = new ScriptedModel(
    calls({ name: "search", args: { query: "fjords" } }, { name: "search", args: { query: "trolls" } }),
    say("Found."),
  );
  return new Agent({ model, tools: [search] });
}

const faces: readonly [string, () => Promise<unknown>][] = [
  ["a result", () => agent().run("Look")],
  ["a trial", () => tryAgent(agent(), "Look")],
];

test.each(faces)("toHaveCalled, of %s", async (_name, make) => {
  const made = await make();
  expect(made).toHaveCalled("search");
  expect(made).toHaveCalled("search", { query: "trolls" });
  expect(made).toHaveCalled("search", { query: expect.stringContaining("fjord") });
  expect(made).toHaveCalled("search", input);
  expect(made).not.toHaveCalled("delete");
  expect(made).not.toHaveCalled("search", { query: "elves" });
  await expect(Promise.resolve(made)).resolves.toHaveCalled("search", ({ query }) => query === "fjords");
});

test("a failure says what was called instead", async () => {
  const result: RunResult = await agent().run("Look");
  const made = 'calls: search({"query":"fjords"}), search({"query":"trolls"})';
  expect(() => expect(result).toHaveCalled("search", { query: "elves" })).toThrow(
    expect.objectContaining({ message: `search with {"query":"elves"} was not called; ${made}` }),
  );
  expect(() => expect(result).not.toHaveCalled("search")).toThrow(
    expect.objectContaining({ message: `search was called; ${made}` }),
  );
});

test.each([[undefined], ["text"], [agent()], [Promise.resolve()]])("%s has no calls, and that is said", (value) => {
  const message = "toHaveCalled() is for the result of a run, or a trial: await agent.run() first";
  expect(() => expect(value).toHaveCalled("search")).toThrow(new TypeError(message));
  expect(() => expect(value).not.toHaveCalled("search")).toThrow(new TypeError(message));
});

test("the matchers are data for any expect", () => {
  expect(Object.keys(evalMatchers)).toEqual(["toHaveCalled"]);
  expect(evalMatchers.toHaveCalled({ toolCalls: [] }, "search").pass).toBe(false);
});
