import { Agent } from "@pollux/core";
import { ScriptedModel } from "@pollux/core/testing";
import { serveAgents } from "@pollux/restate";
import { describe, expect, test } from "vitest";

describe("a worker", () => {
  const model = new ScriptedModel();

  test("refuses a name that no service can have, and two of one name", () => {
    expect(() => serveAgents({ agents: [new Agent({ name: "trip planner", model })] })).toThrow(
      /"trip planner" cannot be the name of a Restate service/,
    );
    expect(() => serveAgents({ agents: [new Agent({ model }), new Agent({ model })] })).toThrow(
      /two of them are named "agent"/,
    );
    expect(() => serveAgents({ agents: [] })).toThrow(/agents: must not be empty/);
  });

  test("says which Node it needs", () => {
    const newer = Object.getOwnPropertyDescriptor(Promise, "withResolvers") ?? {};
    Reflect.deleteProperty(Promise, "withResolvers");
    try {
      expect(() => serveAgents({ agents: [new Agent({ model })] })).toThrow(/needs Node 22 or newer/);
    } finally {
      Object.defineProperty(Promise, "withResolvers", newer);
    }
  });

  test("listens on loopback", async () => {
    const worker = serveAgents({ agents: [new Agent({ model })] });
    const { url, port } = await worker.listen({ port: 0 });
    expect(url).toBe(`http://127.0.0.1:${port}`);
    await worker.close();
    await worker.close();
  });
});
