import { Agent, ApiStatusError, defineTool, endpoint, gemini, MemoryStore } from "@pollux/core";
import { ApiShapeError } from "@pollux/core/errors";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";

const LEVELS = 6_000;
const DEEP = "[".repeat(LEVELS) + "]".repeat(LEVELS);

const saying = (part: string): Response =>
  new Response(`data: {"candidates":[{"content":{"role":"model","parts":[${part}]},"finishReason":"STOP"}]}\n\n`);

/** An agent whose service answers with these, one after another. */
function agentOf(...answers: readonly (() => Response)[]): Agent {
  let next = 0;
  const model = gemini("gemini-2.5-flash", {
    endpoint: endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "developer" }),
    fetch: async () => answers[next++]!(),
    retry: { maxAttempts: 1 },
  });
  return new Agent({
    model,
    limits: { restarts: 0 },
    tools: [defineTool({ name: "look", description: "x", run: () => "seen" })],
  });
}

const CALLS: readonly (readonly [string, string])[] = [
  ["whole", `{"functionCall":{"name":"look","args":{"a":${DEEP}}}}`],
  [
    "streamed",
    `{"functionCall":{"name":"look","partialArgs":[{"jsonPath":"$${".a".repeat(LEVELS)}","numberValue":1}],"willContinue":true}},{"functionCall":{"willContinue":false}}`,
  ],
];

describe.each(faces)("%s", (_face, read) => {
  test.each(CALLS)("a call whose arguments nest 6,000 levels, %s, is a typed error", async (_how, part) => {
    await expect(
      read(
        agentOf(() => saying(part)),
        "Go.",
      ),
    ).rejects.toThrow(ApiShapeError);
  });

  test("an error body that nests as deep keeps its status and message", async () => {
    const body = `{"error":{"code":400,"message":"No such field.","status":"INVALID_ARGUMENT","details":[${DEEP},{"kept":1}]}}`;
    const error: unknown = await read(
      agentOf(() => new Response(body, { status: 400 })),
      "Go.",
    ).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiStatusError);
    expect(error).toMatchObject({ status: 400, details: [{ kept: 1 }] });
    expect((error as Error).message).toContain("No such field.");
  });
});

test.each(CALLS)("a session goes on after a message that failed for such a call, %s", async (_how, part) => {
  const agent = agentOf(
    () => saying(part),
    () => saying('{"text":"Here."}'),
  );
  const session = agent.session({ id: "s", store: new MemoryStore() });
  await expect(session.send("Go.")).rejects.toThrow(ApiShapeError);
  expect(await session.send("Still there?")).toMatchObject({ stopReason: "finished", text: "Here." });
});
