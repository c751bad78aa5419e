import { Agent, defineJob, defineTool, handoff, type Model } from "@pollux/core";
import type { Rehearsal, RehearsedCall } from "@pollux/core/rehearsal";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../helpers/faces.ts";

/** A tool that must not run. */
function untouchable(name: string, options: { readonly needsApproval?: boolean; readonly effects?: "once" } = {}) {
  return defineTool({
    name,
    description: name,
    input: z.object({ id: z.string() }),
    ...options,
    run: (): string => {
      throw new TypeError(`${name} ran`);
    },
  });
}

/** Answers each call with the names of its agent and tool. */
function answering(seen: RehearsedCall[]): NonNullable<Rehearsal["call"]> {
  return async (made) => {
    seen.push(made);
    return { ok: true, output: `${made.agent}: ${made.call.name}` };
  };
}

/** The responses that the model read in a request. */
function responsesIn(model: ScriptedModel, request: number): readonly unknown[] {
  const parts = model.requests[request]?.contents.at(-1)?.parts ?? [];
  return parts.map(({ functionResponse }) => functionResponse?.response);
}

describe.each(faces)("a rehearsed run (%s)", (_, face) => {
  test("calls are answered in place of their tools, after the arguments were checked", async () => {
    const model = new ScriptedModel(
      calls(
        { name: "look", args: { id: "1" } },
        { name: "look", args: { id: 2 } },
        { name: "look", args: { id: "3" } },
      ),
      say("Done."),
    );
    const seen: RehearsedCall[] = [];
    const agent = new Agent({ model, tools: [untouchable("look")] });
    await face(agent, "Go.", { rehearsal: { call: answering(seen) } });
    expect(seen.map(({ callId, turn, call: { args }, tool }) => [callId, turn, args, tool.name])).toEqual([
      ["call:1.0", 1, { id: "1" }, "look"],
      ["call:1.2", 1, { id: "3" }, "look"],
    ]);
    expect(responsesIn(model, 1)).toEqual([
      { output: "agent: look" },
      { error: expect.stringContaining("id") },
      { output: "agent: look" },
    ]);
  });

  test("a call that is not answered runs its tool, and the model reads a failure as one", async () => {
    const model = new ScriptedModel(
      calls({ name: "real", args: { id: "1" } }, { name: "look", args: { id: "1" } }),
      say("Done."),
    );
    const real = defineTool({
      name: "real",
      description: "Real.",
      input: z.object({ id: z.string() }),
      run: () => "ran",
    });
    await face(new Agent({ model, tools: [real, untouchable("look")] }), "Go.", {
      rehearsal: {
        call: async ({ call: { name } }) =>
          name === "real" ? undefined : { ok: false, kind: "failed", message: "as it was" },
      },
    });
    expect(responsesIn(model, 1)).toEqual([{ output: "ran" }, { error: "as it was" }]);
  });

  test("another model answers, with the requests of the one that was asked", async () => {
    const asked = new ScriptedModel();
    const standIn = ScriptedModel.with({ id: "stand-in" }, say("From elsewhere."));
    const places: unknown[] = [];
    const result = await face(new Agent({ model: asked, instructions: "Be brief." }), "Go.", {
      runId: "r1",
      rehearsal: {
        model: (model, { runId, agent }) => {
          places.push([model.id, runId, agent]);
          return standIn;
        },
      },
    });
    expect(result.text).toBe("From elsewhere.");
    expect(places).toEqual([["gemini-scripted", "r1", "agent"]]);
    expect(standIn.requests[0]).toMatchObject({ instructions: "Be brief." });
    expect(asked.requests).toEqual([]);
  });

  test("the model of a turn that prepareTurn chose is replaced, too", async () => {
    const chosen = ScriptedModel.with({ id: "gemini-chosen" });
    const standIn = new ScriptedModel(say("Hi."));
    const asked: string[] = [];
    await face(new Agent({ model: new ScriptedModel(), hooks: { prepareTurn: () => ({ model: chosen }) } }), "Go.", {
      rehearsal: {
        model: ({ id }) => {
          asked.push(id);
          return standIn;
        },
      },
    });
    expect(asked).toEqual(["gemini-chosen"]);
  });

  test("approvals are decided in place of the agent's own, before the call is answered", async () => {
    const model = new ScriptedModel(
      calls({ name: "pay", args: { id: "1" } }, { name: "pay", args: { id: "2" } }),
      say("Done."),
    );
    const agent = new Agent({
      model,
      tools: [untouchable("pay", { needsApproval: true })],
      approve: () => {
        throw new TypeError("nobody is asked");
      },
    });
    const seen: RehearsedCall[] = [];
    await face(agent, "Go.", {
      rehearsal: { approve: ({ call: { args } }) => args?.["id"] === "1", call: answering(seen) },
    });
    expect(seen.map(({ callId }) => callId)).toEqual(["call:1.0"]);
    expect(responsesIn(model, 1)).toEqual([{ output: "agent: pay" }, { error: expect.any(String) }]);
  });

  test("a job and a call from outside are answered at once: nothing is started, nobody is waited for", async () => {
    const job = defineJob({
      name: "research",
      description: "Research.",
      input: z.object({ id: z.string() }),
      start: (): string => {
        throw new TypeError("started");
      },
    });
    const outside = defineTool({ name: "ask", description: "Ask.", input: z.object({ id: z.string() }) });
    const model = new ScriptedModel(
      calls({ name: "research", args: { id: "1" } }, { name: "ask", args: { id: "1" } }),
      say("Done."),
    );
    const result = await face(new Agent({ model, tools: [job, outside] }), "Go.", {
      rehearsal: { call: answering([]) },
    });
    expect(result.stopReason).toBe("finished");
    expect(responsesIn(model, 1)).toEqual([{ output: "agent: research" }, { output: "agent: ask" }]);
  });

  test("it applies to nested runs, and after a handoff", async () => {
    const standIns: Record<string, ScriptedModel> = {
      outer: new ScriptedModel(call("inner", { task: "Look." }), call("to_next", {})),
      inner: new ScriptedModel(call("look", { id: "1" }), say("Seen.")),
      next: new ScriptedModel(call("look", { id: "2" }), say("Done.")),
    };
    const never = (): ScriptedModel => new ScriptedModel();
    const inner = new Agent({ name: "inner", model: never(), tools: [untouchable("look")] });
    const next = new Agent({ name: "next", model: never(), tools: [untouchable("look")] });
    const outer = new Agent({
      name: "outer",
      model: never(),
      tools: [inner.asTool({ description: "Looks." }), handoff(next, { name: "to_next", description: "Hands over." })],
    });
    const seen: RehearsedCall[] = [];
    const answer = answering(seen);
    const result = await face(outer, "Go.", {
      rehearsal: {
        model: (_asked: Model, { agent }) => standIns[agent] ?? never(),
        call: async (made) => (made.call.name === "look" ? await answer(made) : undefined),
      },
    });
    expect(result.text).toBe("Done.");
    expect(seen.map(({ agent, call: { args } }) => [agent, args])).toEqual([
      ["inner", { id: "1" }],
      ["next", { id: "2" }],
    ]);
  });

  test("an agent as a tool that is answered brings what an unknown result brings", async () => {
    const inner = new Agent({ name: "inner", model: new ScriptedModel() });
    const model = new ScriptedModel(call("inner", { task: "Look." }), call("pay", { id: "1" }), say("Done."));
    const agent = new Agent({
      model,
      tools: [inner.asTool({ description: "Looks." }), untouchable("pay", { effects: "once" })],
    });
    const result = await face(agent, "Go.", { rehearsal: { call: answering([]) } });
    expect(result.stopReason).toBe("needs-approval");
  });

  test("the clock is the given one", async () => {
    let now = 1_000;
    const result = await face(
      new Agent({ model: new ScriptedModel(call("look", { id: "1" }), say("Done.")), tools: [untouchable("look")] }),
      "Go.",
      {
        limits: { wallTimeMs: 500 },
        rehearsal: {
          now: () => now,
          call: async () => {
            now += 1_000;
            return { ok: true, output: 1 };
          },
        },
      },
    );
    expect(result.stopReason).toBe("limit");
  });
});
