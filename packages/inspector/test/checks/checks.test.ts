import { Agent, defineTool, type Json, MemoryStore } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { call as calling, say as saying, script } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { findRefusal } from "../../src/checks/check-request.ts";
import type { CheckResult, RequestCheck } from "../../src/inspection/results.ts";
import { inspect, keptSession } from "../support/inspected.ts";
import { sessionOf } from "../support/sessions.ts";

const sum = () => script([calling("add", { a: 1, b: 2 }), saying("It is 3.")]);

describe("the log", () => {
  test("a sound one has no problems, and one that waits has a note", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [call("pay", { amount: 3 })]).send("Pay 3.");
    const { log, tools } = await inspect({ store }).view<CheckResult>("check");
    expect(log).toMatchObject({ problems: [], repairedLength: 4 });
    expect(log.notes.at(-1)).toEqual({
      position: 3,
      problem: "the last run waits for call:1.0 (pay: approval)",
      remedy: expect.any(String),
    });
    expect(tools).toEqual([]);
  });

  test("a damaged one has its problems, with their repairs", async () => {
    const whole = new MemoryStore();
    await sessionOf(whole, [call("add", { a: 1, b: 2 }), say("It is 3.")]).send("Add.");
    const store = new MemoryStore();
    const entries = (await whole.load("chat-1")) as readonly { readonly [name: string]: Json }[];
    const damaged = entries.flatMap((entry): Json[] =>
      entry["step"] === "call:1.0" ? [{ v: 3, type: "odd" }] : [entry],
    );
    await store.append("chat-1", 0, damaged);
    const { log } = await inspect({ store }).view<CheckResult>("check");
    expect(log.problems[0]).toEqual({
      position: 2,
      problem: "its at is not a number",
      remedy: expect.any(String),
    });
    expect(log.problems.length).toBeGreaterThan(1);
    expect(log.repairedLength).toBeLessThan(entries.length);
  });
});

describe("tools", () => {
  test("the given agent's tools have the changes to their schemas", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hello.")]).send("Hi");
    const book = defineTool({
      name: "book",
      description: "Books a room",
      input: z.object({ mail: z.string().regex(/@/), nights: z.number().multipleOf(2) }),
      run: () => "booked",
    });
    const agents = { helper: new Agent({ model: new ScriptedModel(), tools: [book] }) };
    const { tools } = await inspect({ store, agents }).view<CheckResult>("check");
    expect(tools).toEqual([
      {
        name: "book",
        description: "Books a room",
        from: { agent: "helper" },
        declaration: book.declaration,
        changes: book.schemaChanges,
      },
    ]);
    expect(book.schemaChanges).not.toEqual([]);
  });

  test("without an agent, the last request's tools", async () => {
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?");
    const { tools } = await inspect({ store, exchanges }).view<CheckResult>("check");
    expect(tools.map(({ name, from }) => [name, from])).toEqual([
      ["add", { n: 1 }],
      ["fail", { n: 1 }],
      ["pay", { n: 1 }],
    ]);
    expect(tools.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  });

  test("a schema that the API refuses is shown with its message", async () => {
    const { store, exchanges, changed } = await keptSession(sum(), "What is 1 + 2?");
    const odd = defineTool({ name: "odd", description: "Odd", input: z.object({}), run: () => 1 });
    let schema: Json = { type: "string" };
    for (let depth = 0; depth < 40; depth++) schema = { type: "object", properties: { a: schema } };
    const tool = { ...odd, declaration: { ...odd.declaration, parametersJsonSchema: schema as { type: string } } };
    const agents = { helper: changed({ tools: [tool] }) };
    const { tools } = await inspect({ store, exchanges, agents }).view<CheckResult>("check");
    const found = tools.find(({ name }) => name === "odd");
    expect(found?.refusal).toMatchObject({
      status: 400,
      message: expect.any(String),
      rule: expect.stringMatching(/^E-/),
    });
  });
});

describe("a request", () => {
  test("one that the service accepted has no refusal", async () => {
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?");
    const check = await inspect({ store, exchanges }).view<RequestCheck>("check-request", { n: "1" });
    expect(check).not.toHaveProperty("refusal");
    const none = inspect({ store, exchanges }).view("check-request", { n: "9" });
    await expect(none).rejects.toThrow("404 not_found");
  });

  test.each([
    [
      "an unknown field, with its path",
      { contents: [{ role: "user", parts: [{ text: "Hi", size: 1 }] }] },
      { status: 400, fields: [{ field: "contents[0].parts[0]", description: expect.stringContaining("size") }] },
    ],
    [
      "an unanswered call",
      {
        contents: [
          { role: "user", parts: [{ text: "Hi" }] },
          { role: "model", parts: [{ functionCall: { name: "add", args: {} }, thoughtSignature: "c2ln" }] },
          { role: "user", parts: [{ text: "And?" }] },
        ],
      },
      { status: 400, message: expect.stringContaining("function response") },
    ],
  ])("%s is told with the service's words", async (_, body, expected) => {
    const url =
      "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse";
    expect(await findRefusal({ method: "POST", url, body: JSON.stringify(body) })).toMatchObject(expected);
  });

  test("an invalid body and an unknown address", async () => {
    const url = "/v1beta/models/gemini-3.5-flash:generateContent";
    expect(await findRefusal({ method: "POST", url, body: "{" })).toMatchObject({ status: 400 });
    expect(await findRefusal({ method: "GET", url: "/nothing", body: "" })).toMatchObject({ status: 404 });
  });
});
