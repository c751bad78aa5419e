import { Agent, calledTool, defineTool, MemoryStore } from "@pollux/core";
import { SessionLimitError } from "@pollux/core/errors";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { SESSION_FACES } from "./session-faces.ts";

const handOver = defineTool({
  name: "hand_over",
  description: "Hands the conversation over.",
  input: z.object({ to: z.enum(["billing"]) }),
  run: ({ to }) => `${to} takes over`,
});

function team(deskId: string, billingId: string) {
  const desk = ScriptedModel.with(
    { id: deskId },
    call("hand_over", { to: "billing" }, { thoughtSignature: "ZGVzaw==" }),
    say("Back at the desk."),
  );
  const billing = ScriptedModel.with({ id: billingId }, say("It is 12 euros."), say("Still."));
  for (const model of [desk, billing])
    Object.assign(model, { origin: { endpoint: "https://one.example", family: model.capabilities.family } });
  return {
    desk,
    billing,
    deskAgent: new Agent({
      model: desk,
      instructions: "You are the front desk.",
      tools: [handOver],
      stopWhen: [calledTool("hand_over")],
    }),
    billingAgent: new Agent({ model: billing, instructions: "You do the bills." }),
  };
}

const TAKEN_OVER = "(Billing has taken over. Answer what was asked last.)";

describe.each(SESSION_FACES)("a conversation handed over to another agent, read by %s", (_face, face) => {
  test.each([
    ["within a family", "gemini-3.1-pro-preview", { thoughtSignature: "ZGVzaw==" }],
    ["to an older family", "gemini-2.5-flash", {}],
  ])("%s: same history, other instructions and tools", async (_name, billingId, signature) => {
    const { desk, billing, deskAgent, billingAgent } = team("gemini-3-flash-preview", billingId);
    const store = new MemoryStore();
    const session = deskAgent.session({ id: "s", store });
    expect(await face.send(session, "What do I owe?")).toMatchObject({ stopReason: "stopped" });

    const taken = session.as(billingAgent);
    expect(taken.id).toBe("s");
    expect(await face.send(taken, TAKEN_OVER)).toMatchObject({ stopReason: "finished", text: "It is 12 euros." });
    const handed = { name: "hand_over", args: { to: "billing" } };
    expect(billing.requests[0]).toMatchObject({ instructions: "You do the bills." });
    const given = billing.requests[0]?.contents ?? [];
    expect(given[1]?.parts).toEqual([{ functionCall: handed, ...signature }]);
    expect(given.map(({ role }) => role)).toEqual(["user", "model", "user", "user"]);

    // Also of what it was given, before its first run.
    const history = await session.history();
    await face.send(deskAgent.session({ history }).as(billingAgent), "And now?");
    expect(billing.requests[1]?.contents.map(({ role }) => role)).toEqual([...history.map(({ role }) => role), "user"]);
    expect(billing.requests[1]?.contents[1]?.parts).toEqual([{ functionCall: handed, ...signature }]);

    // And back: the desk reads its own signature again, whatever was in between.
    expect(await face.send(session, "Thanks.")).toMatchObject({ text: "Back at the desk." });
    expect(desk.requests[1]?.contents[1]?.parts).toEqual([{ functionCall: handed, thoughtSignature: "ZGVzaw==" }]);
    expect(await session.history()).toHaveLength(7);
  });

  test("to a newer family: foreign calls get the signature the service takes", async () => {
    const { billing, deskAgent, billingAgent } = team("gemini-2.5-flash", "gemini-3-flash-preview");
    const session = deskAgent.session({ store: new MemoryStore() });
    await face.send(session, "What do I owe?");
    await face.send(session.as(billingAgent), TAKEN_OVER);
    const first = billing.requests[0]?.contents[1]?.parts[0];
    expect(first?.functionCall?.name).toBe("hand_over");
    expect(first?.thoughtSignature).toEqual(expect.any(String));
    expect(first?.thoughtSignature).not.toBe("ZGVzaw==");
  });

  test("the limits of the session hold for every agent that leads it", async () => {
    const { deskAgent, billing, billingAgent } = team("gemini-2.5-flash", "gemini-2.5-pro");
    const session = deskAgent.session({ store: new MemoryStore(), limits: { turns: 1 } });
    await face.send(session, "What do I owe?");
    await expect(face.send(session.as(billingAgent), TAKEN_OVER)).rejects.toThrow(SessionLimitError);
    expect(billing.requests).toEqual([]);
  });
});
