import { Agent } from "@pollux/core";
import { call, grounded, malformed, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { eventsOf } from "../helpers/faces.ts";

test("an agent as a tool: its own conversation, its usage and sources in the caller's result, its events as progress", async () => {
  const inner = new ScriptedModel(
    grounded("Paris hosted it.", { sources: [{ uri: "https://a.example", title: "a" }], queries: ["who hosted"] }),
  );
  const researcher = new Agent({ name: "researcher", model: inner, instructions: "Research." });
  const outer = new ScriptedModel(call("researcher", { task: "Who hosted?" }), say("Paris hosted it, I am told."));
  const { events, result } = await eventsOf(
    new Agent({ model: outer, tools: [researcher.asTool({ description: "Finds things out." })] }),
    "Who?",
  );
  expect(inner.requests[0]).toMatchObject({
    instructions: "Research.",
    contents: [{ role: "user", parts: [{ text: "Who hosted?" }] }],
  });
  expect(outer.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
    output: "Paris hosted it.",
  });
  expect(result).toMatchObject({
    usage: { requests: 3, searchQueries: 1 },
    groundedBy: "delegated",
    sources: [{ number: 1, uri: "https://a.example" }],
  });
  const progress = events.filter((event) => event.type === "tool-progress").map((event) => event.progress);
  expect(progress).toContainEqual({
    path: ["researcher"],
    event: { type: "text-delta", turn: 1, delta: "Paris hosted it." },
  });
});

test("typed output is the tool's result, and an inner run that did not finish is a failure the model reads", async () => {
  const counter = new Agent({ name: "counter", model: new ScriptedModel(say('{"n":3}')) }).asTool({
    description: "Counts.",
    output: z.object({ n: z.number() }),
  });
  const broken = new Agent({
    name: "broken",
    model: new ScriptedModel(malformed(), malformed(), malformed(), malformed()),
  }).asTool({ description: "Breaks." });
  const outer = new ScriptedModel(
    call("counter", { task: "Count." }),
    call("broken", { task: "Break." }),
    say("Done."),
  );
  await new Agent({ model: outer, tools: [counter, broken] }).run("Go.");
  expect(outer.requests[1]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({ output: { n: 3 } });
  expect(outer.requests[2]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
    error: 'broken ended with "bad-call"',
  });
});

test("progress of an agent inside an agent keeps one path", async () => {
  const leaf = new Agent({ name: "leaf", model: new ScriptedModel(say("green")) });
  const branch = new Agent({
    name: "branch",
    model: new ScriptedModel(call("leaf", { task: "?" }), say("It is green.")),
    tools: [leaf.asTool({ description: "x" })],
  });
  const root = new Agent({
    model: new ScriptedModel(call("branch", { task: "?" }), say("Green.")),
    tools: [branch.asTool({ description: "x" })],
  });
  const { events } = await eventsOf(root, "Color?");
  const paths = events
    .filter((event) => event.type === "tool-progress")
    .map((event) => (event.progress as { path: string[] }).path.join(" > "));
  expect(paths).toContain("branch > leaf");
});
