import { Agent, defineTool } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { faces } from "../helpers/faces.ts";
import { fakeTime } from "../helpers/fake-time.ts";

const HOUR_MS = 3_600_000;

describe.each(faces)("%s", (_face, read) => {
  fakeTime("stands");

  test.each([
    ["is set forward", HOUR_MS],
    ["is set back", -HOUR_MS],
  ])("times are measured as they pass when the system's clock %s", async (_what, jumpMs) => {
    const begun = Date.now();
    const wait = defineTool({
      name: "wait",
      description: "x",
      run: () => {
        vi.advanceTimersByTime(505);
        vi.setSystemTime(Date.now() + jumpMs);
        return "waited";
      },
    });
    const seen: ObservedEvent[] = [];
    const agent = new Agent({
      model: new ScriptedModel(call("wait", { n: 1 }), call("wait", { n: 2 }), say("Never asked for.")),
      tools: [wait],
      limits: { wallTimeMs: 1_000 },
      observers: [{ observe: (observation) => void seen.push(observation) }],
    });
    const result = await read(agent, "Go.");
    expect(result).toMatchObject({
      stopReason: "limit",
      limit: { name: "wallTimeMs", limit: 1_000, used: 1_010 },
      turns: 2,
    });
    expect(seen.find(({ type }) => type === "run-start")?.at).toBe(begun);
    expect(seen.find(({ type }) => type === "run-end")?.at).toBe(begun + 1_010);
  });
});
