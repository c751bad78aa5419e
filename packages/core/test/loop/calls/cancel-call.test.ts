import { Agent, defineTool, MemoryStore, type RunEvent } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { assertGrammar, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { deferred } from "../../helpers/deferred.ts";

const CANCELLED = "cancelled: the user cancelled this call before it finished";

/** Two calls at once: one that ends only with its signal, and one that waits until it is told to end. */
function scene(effects: "none" | "once" = "none") {
  const release = deferred<string>();
  const aborted: string[] = [];
  const endless = defineTool({
    name: "endless",
    description: "Never ends.",
    effects,
    unknownOutcome: "tell-model",
    run: (_, { signal }) =>
      new Promise<never>((_resolve, reject) =>
        signal.addEventListener("abort", () => (aborted.push(String(signal.reason)), reject(signal.reason))),
      ),
  });
  const other = defineTool({ name: "other", description: "Waits.", run: () => release.promise });
  const model = new ScriptedModel(calls("endless", "other"), say("Done."));
  return { model, tools: [endless, other], release, aborted };
}

describe("a call that is cancelled by its id", () => {
  test("aborts alone: the others end, the model reads why, and the run goes on", async () => {
    const { model, tools, release, aborted } = scene();
    const stream = new Agent({ model, tools }).stream("Go.");
    const events: RunEvent[] = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === "tool-start" && event.callId === "call:1.1") {
        expect(stream.cancelCall("call:1.0")).toBe(true);
        expect(stream.cancelCall("call:9.9")).toBe(false);
      }
      // The other call ends after the cancelled one.
      if (event.type === "tool-end" && event.callId === "call:1.0") release.resolve("fine");
    }
    const result = await stream.result();
    assertGrammar(events);
    expect(aborted).toEqual(["AbortError: the call was cancelled"]);
    expect(result.text).toBe("Done.");
    expect(result.toolCalls).toMatchObject([
      { status: "failed", name: "endless", error: { kind: "cancelled", message: CANCELLED } },
      { status: "completed", name: "other", output: "fine" },
    ]);
    expect(model.requests[1]?.contents.at(-1)?.parts).toMatchObject([
      { functionResponse: { response: { error: CANCELLED } } },
      { functionResponse: { response: { output: "fine" } } },
    ]);
    expect(stream.cancelCall("call:1.0")).toBe(false);
  });

  test("may have taken effect: the model reads this about a tool that must not run twice", async () => {
    const { model, tools, release } = scene("once");
    const session = new Agent({ model, tools }).session();
    for await (const event of session.stream("Go.")) {
      if (event.type !== "tool-start") continue;
      if (event.callId === "call:1.0") session.cancelCall("call:1.0");
      else release.resolve("fine");
    }
    expect(model.requests[1]?.contents.at(-1)?.parts[0]).toMatchObject({
      functionResponse: {
        response: { error: `${CANCELLED}; it is unknown whether this call took effect; check before repeating it` },
      },
    });
  });

  test("does not begin if it hasn't begun", async () => {
    const ran: string[] = [];
    const gate = deferred<string>();
    const first = defineTool({ name: "first", description: "First.", sequential: true, run: () => gate.promise });
    const second = defineTool({
      name: "second",
      description: "Second.",
      sequential: true,
      run: () => (ran.push("second"), 2),
    });
    const model = new ScriptedModel(calls("first", "second"), say("Done."));
    const stream = new Agent({ model, tools: [first, second] }).stream("Go.");
    for await (const event of stream)
      if (event.type === "tool-start" && event.name === "first") {
        expect(stream.cancelCall("call:1.1")).toBe(true);
        gate.resolve("1");
      }
    expect(ran).toEqual([]);
    expect((await stream.result()).toolCalls).toMatchObject([
      { status: "completed" },
      { error: { kind: "cancelled" } },
    ]);
  });

  test("ends the wait before another attempt of its tool", async () => {
    let attempts = 0;
    const flaky = defineTool({
      name: "flaky",
      description: "Fails.",
      retry: { minDelayMs: 1_000_000, maxDelayMs: 1_000_000 },
      run: () => {
        attempts++;
        throw new Error("busy");
      },
    });
    const stream = new Agent({ model: new ScriptedModel(calls("flaky"), say("Done.")), tools: [flaky] }).stream("Go.");
    for await (const event of stream) if (event.type === "tool-retry") stream.cancelCall(event.callId);
    expect((await stream.result()).toolCalls).toMatchObject([{ error: { kind: "cancelled", message: CANCELLED } }]);
    expect(attempts).toBe(1);
  });

  test("stays cancelled in the log of its session, also for a resumed run and in what a person sees", async () => {
    const { model: _, tools, release } = scene();
    const store = new MemoryStore();
    const model = new ScriptedModel(
      calls("endless", "other"),
      () => Promise.reject(new TypeError("the model is away")),
      say("Done."),
    );
    const session = new Agent({ model, tools }).session({ id: "s", store });
    const running = session.stream("Go.");
    await expect(
      (async () => {
        for await (const event of running) {
          if (event.type !== "tool-start") continue;
          if (event.callId === "call:1.0") expect(session.cancelCall("call:1.0")).toBe(true);
          else release.resolve("fine");
        }
      })(),
    ).rejects.toThrow("away");
    expect(session.cancelCall("call:1.0")).toBe(false);
    const later = new Agent({ model, tools }).session({ id: "s", store });
    const result = await later.resume();
    expect(result.toolCalls).toMatchObject([{ error: { kind: "cancelled" } }, { status: "completed" }]);
    const { messages } = await readConversation(later);
    const shown = messages.flatMap(({ parts }) => parts).filter(({ type }) => type === "tool-call");
    expect(shown).toMatchObject([
      { state: "cancelled", failure: { kind: "cancelled", message: "The call was cancelled before it ended." } },
      { state: "done" },
    ]);
  });
});
