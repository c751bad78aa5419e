import { defineTool, type ToolContext, ToolError } from "@pollux/core";
import { runTool } from "@pollux/core/testing";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

interface App {
  readonly user: string;
}

const greet = defineTool({
  name: "greet",
  description: "Greets.",
  input: z.object({ name: z.string(), times: z.number().default(1) }),
  run: async function* ({ name, times }, { context, call, callId, attempt }: ToolContext<App>) {
    yield `greeting ${name}`;
    if (name === "") throw new ToolError("nobody to greet");
    if (name === "boom") throw new Error("password=1234");
    return { text: `Hello ${name}, from ${context.user}`.repeat(times), args: call.args, callId, attempt };
  },
});
const context: App = { user: "ann" };

test("runs a tool as a run does: defaults, context, progress, and the answer that the model reads", async () => {
  const progress: unknown[] = [];
  const ran = await runTool(greet, { name: "Bo" }, { context, onProgress: (one) => progress.push(one) });
  const output = { text: "Hello Bo, from ann", args: { name: "Bo" }, callId: "call:1.0", attempt: 1 };
  expect(ran).toEqual({
    callId: "call:1.0",
    turn: 1,
    name: "greet",
    input: { name: "Bo" },
    status: "completed",
    durationMs: expect.any(Number) as unknown,
    output,
    answer: [{ role: "user", parts: [{ functionResponse: { name: "greet", response: { output } } }] }],
  });
  expect(progress).toEqual(["greeting Bo"]);
  if (ran.status === "completed") expectTypeOf(ran.output.text).toEqualTypeOf<string>();
});

test("checks the arguments, masks errors, and tells what a ToolError says", async () => {
  // @ts-expect-error name must be a string.
  const invalid = await runTool(greet, { name: 5 }, { context });
  expect(invalid).toMatchObject({ status: "failed", error: { kind: "bad-input" } });
  expect(await runTool(greet, { name: "" }, { context })).toMatchObject({ error: { message: "nobody to greet" } });
  expect(await runTool(greet, { name: "boom" }, { context })).toMatchObject({
    error: { kind: "failed", message: "greet failed with an internal error" },
  });
});

test("needs the context that the tool needs", () => {
  // @ts-expect-error context is missing.
  const missing = () => runTool(greet, { name: "Bo" });
  expect(missing).toBeTypeOf("function");
});

test("approves, cuts long results, and stops with its signal", async () => {
  const long = defineTool({
    name: "long",
    description: "Is long.",
    needsApproval: true,
    maxResultBytes: 20,
    run: () => "x".repeat(100),
  });
  expect(await runTool(long, {})).toMatchObject({
    status: "shortened",
    output: expect.stringMatching(/^x{18}\n/) as unknown,
  });
  const endless = defineTool({ name: "endless", description: "Never ends.", run: () => new Promise<never>(() => {}) });
  const abort = new AbortController();
  const running = runTool(endless, {}, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});

test("leaves a tool without run pending", async () => {
  const elsewhere = defineTool({ name: "locate", description: "Where the user is." });
  expect(await runTool(elsewhere, {})).toMatchObject({ status: "pending", question: "outcome", answer: [] });
});
