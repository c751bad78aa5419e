import { Agent, type AgentError, type AgentOptions, defineTool } from "@pollux/core";
import { ResponseBlockedError } from "@pollux/core/errors";
import {
  type Brain,
  calls,
  type Fault,
  faults,
  type FaultRule,
  finishes,
  join,
  parts,
  say,
  think,
} from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { answer, chunk, eventStream, openRawService } from "../support/raw-service.ts";
import { sentBy, sketch, sketches } from "../support/sketch.ts";
import { add, byStep } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld, refusals } from "../support/world.ts";

/** Calls once and answers, whatever comes in between. */
const sum: Brain = {
  answer: ({ request }) =>
    request.contents.some((content) => content.parts.some(({ functionResponse }) => functionResponse !== undefined))
      ? say("It is 3.")
      : calls({ name: "add", args: { a: 1, b: 2 } }),
};
const CALL = 'model: add({"a":1,"b":2})* ""';
const NUDGE = 'user: "Your last response was empty. Please answer or call a function."';

/** Requests a sum with a fault. */
async function meet(face: string, faultRules: readonly FaultRule[], options: Partial<AgentOptions> = {}) {
  await using world = await openWorld({ brain: sum, faults: faultRules });
  const seen = await watch(face, new Agent({ model: world.model(), tools: [add], ...options }), "Add.");
  return { seen, world, sent: sketches(world) };
}

const EMPTY: readonly (readonly [string, Fault])[] = [
  ["no parts", faults.emptyStop({ shape: "no-parts" })],
  ["an empty text", faults.emptyStop({ shape: "empty-text" })],
  ["no content", faults.emptyStop({ shape: "no-content" })],
  ["an empty content", faults.emptyStop({ shape: "empty-content" })],
  ["only thoughts", faults.onlyThoughts()],
  ["only a signature", { kind: "answer", rule: "test", replace: () => parts({ text: "", thoughtSignature: "c2ln" }) }],
];

describe.each(faces)("%s", (face) => {
  describe.each(EMPTY)("STOP with %s right after tool results", (_shape, fault) => {
    test("once: the same is asked again, and the history does not show it", async () => {
      const { seen, sent, world } = await meet(face, [{ at: 2, fault }]);
      expect(world.bodies[2]).toBe(world.bodies[1]);
      expect(sent).toHaveLength(3);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3.", turns: 2, usage: { requests: 3 } });
      expect(sketch(seen.contents)).toEqual([
        'user: "Add."',
        CALL,
        'user: add <- {"output":3}',
        'model: "It is 3." ""*',
      ]);
    });

    test("twice: the second time, it gets a hint in a separate content", async () => {
      const { seen, sent, world } = await meet(face, [{ at: [2, 3], fault }]);
      expect(sent.at(-1)).toEqual(['user: "Add."', CALL, 'user: add <- {"output":3}', NUDGE]);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3.", turns: 2 });
      expect(refusals(world.emulator)).toEqual([]);
    });

    test("always, from the first request on: the run ends as empty, with nothing but the question", async () => {
      const { seen, sent } = await meet(face, [{ at: () => true, fault }]);
      expect(seen.result).toMatchObject({ stopReason: "empty", text: "", turns: 1 });
      expect(seen.result).not.toHaveProperty("output");
      expect(sent).toHaveLength(4);
      expect(seen.contents.filter(({ role }) => role === "model")).toEqual([]);
    });

    test("always: the run ends as empty after three retries, never as a success", async () => {
      const { seen, sent } = await meet(face, [{ at: ({ number }) => number > 1, fault }]);
      const types = seen.events
        .map(({ type }) => type)
        .filter((type) => type !== "part" && type !== "text-delta" && type !== "thought-delta");
      if (face !== "run")
        expect(types.join(" ")).toBe(
          "run-start turn-start response tool-start tool-end turn-end turn-start response recover response recover response recover response turn-end run-end",
        );
      expect(sent).toHaveLength(5);
      expect(seen.result).toMatchObject({ stopReason: "empty", text: "", turns: 2, usage: { requests: 5 } });
      expect(seen.result).not.toHaveProperty("output");
      expect(sketch(seen.contents).slice(0, 3)).toEqual(['user: "Add."', CALL, 'user: add <- {"output":3}']);
      expect(seen.contents.filter(({ role }) => role === "model")).toHaveLength(1);
    });
  });

  test("only a usage chunk, no candidate and no reason: the run fails, as a stream without an end", async () => {
    const { seen, sent } = await meet(face, [{ at: () => true, fault: faults.noCandidates() }], {
      limits: { restarts: 1 },
    });
    expect(seen.error).toMatchObject({ code: "stream_incomplete", retryable: true });
    expect(sent).toHaveLength(2);
    expect(sketch(seen.contents)).toEqual(['user: "Add."']);
  });

  test("an empty last chunk after a signature is no empty answer", async () => {
    await using service = await openRawService({
      body: eventStream(chunk([{ text: "Hi." }]), chunk([{ text: "", thoughtSignature: "c2ln" }]), chunk([], "STOP")),
    });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Hi." });
    expect(sketch(seen.contents)).toEqual(['user: "Hi."', 'model: "Hi." ""*']);
  });

  describe.each(["MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE"])("a call that nobody can read (%s)", (reason) => {
    const fault = faults.finishReason(reason, "Malformed function call: add(a=");

    test("once: the same is asked again", async () => {
      const { seen, sent, world } = await meet(face, [{ at: 1, fault }]);
      seen.saw(`run-start turn-start response recover part response tool-start tool-end turn-end
        turn-start text-delta response turn-end run-end`);
      expect(world.bodies[1]).toBe(world.bodies[0]);
      expect(sent).toHaveLength(3);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3." });
    });

    test("twice: a call is no longer forced, and the problem is reported", async () => {
      const { seen, world, sent } = await meet(face, [{ at: [1, 2], fault }], { toolChoice: "required" });
      const modes = sentBy(world).map(({ toolConfig }) => toolConfig?.["functionCallingConfig"]);
      expect(modes).toEqual([{ mode: "ANY" }, undefined, undefined, undefined]);
      expect(sent[2]).toEqual([
        'user: "Add."',
        expect.stringMatching(/^user: "Your last function call could not be parsed/),
      ]);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3." });
    });

    test("always: the run ends with it, and what the model wrote is in no request and not in the history", async () => {
      const { seen, world, sent } = await meet(face, [{ at: () => true, fault }]);
      expect(sent).toHaveLength(4);
      expect(seen.result).toMatchObject({
        stopReason: "bad-call",
        finishReason: reason,
        finishMessage: "Malformed function call: add(a=",
      });
      expect(seen.contents.every(({ role }) => role === "user")).toBe(true);
      expect(world.bodies.join()).not.toContain("Malformed");
    });
  });

  test("text before an unreadable call is void, and not in the history", async () => {
    await using world = await openWorld({
      brain: {
        answer: ({ number }) =>
          number === 1 ? join(say("I will add."), finishes("MALFORMED_FUNCTION_CALL")) : say("It is 3."),
      },
    });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [add] }), "Add.");
    seen.saw("run-start turn-start text-delta response recover text-delta response turn-end run-end");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3." });
    expect(sketch(seen.contents)).toEqual(['user: "Add."', 'model: "It is 3." ""*']);
  });

  describe("the model calls a tool that is not declared", () => {
    const hint = "You called a function that does not exist. Available: add.";

    test("and the call does not come through: asked again, then with a hint", async () => {
      const { seen, world, sent } = await meet(face, [{ at: [1, 2], fault: faults.unexpectedToolCall() }]);
      expect(world.bodies[1]).toBe(world.bodies[0]);
      expect(sent[2]).toEqual(['user: "Add."', `user: ${JSON.stringify(hint)}`]);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3." });
    });

    test("and it never comes through: the run ends with it", async () => {
      const { seen, sent } = await meet(face, [{ at: () => true, fault: faults.unexpectedToolCall() }]);
      seen.saw("run-start turn-start response recover response recover response turn-end run-end");
      expect(sent).toHaveLength(3);
      expect(seen.result).toMatchObject({ stopReason: "bad-call", finishReason: "UNEXPECTED_TOOL_CALL" });
      expect(seen.contents.every(({ role }) => role === "user")).toBe(true);
    });

    test("without any tools, because the prompt names some: it gets the order to answer without", async () => {
      await using world = await openWorld({
        brain: byStep(() => say("Fine.")),
        faults: [{ at: [1, 2], fault: faults.unexpectedToolCall() }],
      });
      const seen = await watch(face, new Agent({ model: world.model() }), "Use list_files.");
      expect(sketches(world).at(-1)?.at(-1)).toContain("Answer without calling functions.");
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "Fine." });
    });

    test("and the call is there: it is answered with the names there are", async () => {
      const fault = faults.unexpectedToolCall({ withPart: true });
      const { seen, sent, world } = await meet(face, [{ at: 1, fault }]);
      seen.saw(`run-start turn-start part response tool-start tool-end turn-end
        turn-start text-delta response turn-end run-end`);
      expect(sent).toHaveLength(2);
      expect(sent[1]?.at(-1)).toMatch(/^user: list_files <- \{"error":".*add/);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "It is 3." });
      expect(refusals(world.emulator)).toEqual([]);
    });
  });

  describe("the token limit", () => {
    test("cuts a call off: it is answered with what to do, not run", async () => {
      let runs = 0;
      const write = defineTool({
        name: "write_file",
        description: "Writes a file.",
        input: z.object({ content: z.string().default("") }),
        run: () => runs++,
      });
      const fault = faults.maxTokensMidCall({ name: "write_file" });
      await using world = await openWorld({ brain: byStep(() => say("Shorter then.")), faults: [{ at: 1, fault }] });
      const seen = await watch(face, new Agent({ model: world.model(), tools: [write] }), "Write a book.");
      seen.saw(`run-start turn-start part response tool-end turn-end
        turn-start text-delta response turn-end run-end`);
      expect(runs).toBe(0);
      expect(sketches(world)[1]?.at(-1)).toMatch(
        /write_file <- \{"error":"not run: .*cut off by the output token limit/,
      );
      expect(seen.result).toMatchObject({ stopReason: "finished", text: "Shorter then." });
      expect(refusals(world.emulator)).toEqual([]);
    });

    test("cuts every call off: the run ends as truncated, with every call answered", async () => {
      const { seen, sent } = await meet(face, [
        { at: () => true, fault: faults.maxTokensMidCall({ name: "add", args: { a: 1 } }) },
      ]);
      expect(seen.result).toMatchObject({ stopReason: "truncated" });
      expect(sent).toHaveLength(3);
      expect(seen.contents.at(-1)?.parts[0]).toHaveProperty("functionResponse");
    });

    test("was used up by thoughts: the run ends as truncated, without a text and without a second request", async () => {
      await using world = await openWorld({
        brain: byStep(() => ({ ...join(think("Hm."), finishes("MAX_TOKENS")), thoughtTokens: 1_000 })),
      });
      const agent = new Agent({ model: world.model(), settings: { includeThoughts: true } });
      const seen = await watch(face, agent, "Hi.");
      seen.saw("run-start turn-start thought-delta response turn-end run-end");
      expect(world.bodies).toHaveLength(1);
      expect(seen.result).toMatchObject({ stopReason: "truncated", text: "", usage: { thoughtTokens: 1_000 } });
      expect(sketch(seen.contents)).toEqual(['user: "Hi."']);
    });

    test("cuts a sentence off: the run ends as truncated, with what there is of it", async () => {
      const { seen, sent } = await meet(face, [{ at: 1, fault: faults.maxTokens("It begins") }]);
      expect(seen.result).toMatchObject({ stopReason: "truncated", text: "It begins" });
      expect(sent).toHaveLength(1);
    });
  });

  test.each(["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "MODEL_ARMOR"])(
    "an answer withheld for %s ends the run, with history as it was before",
    async (reason) => {
      const { seen, sent } = await meet(face, [{ at: 2, fault: faults.safety(reason) }]);
      expect(seen.result).toMatchObject({ stopReason: "blocked", finishReason: reason, text: "" });
      expect(sent).toHaveLength(2);
      expect(sketch(seen.contents)).toEqual(['user: "Add."', CALL, 'user: add <- {"output":3}']);
    },
  );

  test.each(["SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "OTHER"])(
    "a prompt blocked for %s is an error at once, not an empty success",
    async (reason) => {
      const { seen, sent } = await meet(face, [{ at: () => true, fault: faults.promptBlocked(reason) }]);
      expect(seen.error).toBeInstanceOf(ResponseBlockedError);
      expect(seen.error).toMatchObject({ code: "response_blocked", blockReason: reason, retryable: false });
      expect(sent).toHaveLength(1);
    },
  );

  test.each([faults.emptyStop(), faults.malformedCall(), faults.promptBlocked(), faults.noCandidates()])(
    "a whole answer is judged like a streamed one ($rule)",
    async (fault) => {
      const ends: unknown[] = [];
      for (const transport of ["stream", "unary"] as const) {
        await using world = await openWorld({ brain: sum, faults: [{ at: () => true, fault }] });
        const agent = new Agent({
          model: world.model(undefined, { transport }),
          tools: [add],
          limits: { restarts: 0 },
        });
        const { result, error } = await watch(face, agent, "Add.");
        ends.push(result?.stopReason ?? (error as AgentError).code);
      }
      expect(ends[1]).toBe(ends[0]);
      expect(ends[0]).not.toBe("finished");
    },
  );

  test("a finish reason nobody knows is not a success, and calls beside it are not run", async () => {
    await using world = await openWorld({
      brain: byStep(() => join(calls({ name: "add", args: { a: 1, b: 2 } }), finishes("QUANTUM_DECOHERENCE"))),
    });
    const seen = await watch(face, new Agent({ model: world.model(), tools: [add] }), "Add.");
    expect(seen.result).toMatchObject({ stopReason: "unknown-finish", finishReason: "QUANTUM_DECOHERENCE" });
    expect(world.bodies).toHaveLength(1);
    expect(sketch(seen.contents)).toEqual(['user: "Add."']);
  });

  test.each<[string, object, object]>([
    ["no args", {}, {}],
    // Null counts as absent, also in the next request.
    ["null for args", { args: null }, {}],
    ["empty args", { args: {} }, { args: {} }],
  ])("a call with %s is a call without arguments", async (_what, args, kept) => {
    const ping = defineTool({ name: "ping", description: "Pings.", run: () => "pong" });
    const call = { functionCall: { name: "ping", ...args } };
    await using service = await openRawService(answer(call), answer({ text: "Pong." }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [ping] }), "Ping.");
    expect(seen.contents.slice(1, 3)).toEqual([
      { role: "model", parts: [{ functionCall: { name: "ping", ...kept } }] },
      { role: "user", parts: [{ functionResponse: { name: "ping", response: { output: "pong" } } }] },
    ]);
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Pong." });
  });

  test.each<[string, object]>([
    ["without a name", { functionCall: { args: { a: 1 } } }],
    ["with an empty name", { functionCall: { name: "", args: { a: 1 } } }],
    ["with nothing for a name", { functionCall: { name: null, args: { a: 1 } } }],
  ])("a call %s cannot be answered: it is asked for again, and never in the history", async (_what, call) => {
    await using service = await openRawService(answer(call), answer({ text: "Done." }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [add] }), "Add.");
    expect(service.bodies[1]).toBe(service.bodies[0]);
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(sketch(seen.contents)).toEqual(['user: "Add."', 'model: "Done."']);

    await using stubborn = await openRawService(answer(call));
    const failed = await watch(face, new Agent({ model: stubborn.model(), tools: [add] }), "Add.");
    expect(failed.result).toMatchObject({ stopReason: "bad-call", finishReason: "STOP" });
    expect(stubborn.bodies).toHaveLength(4);
    expect(failed.contents.every(({ role }) => role === "user")).toBe(true);
  });

  test("arguments that are a text are no answer of the API", async () => {
    await using service = await openRawService(answer({ functionCall: { name: "add", args: '{"a":1}' } }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [add] }), "Add.");
    expect(seen.error).toMatchObject({
      code: "api_shape",
      path: "$.candidates[0].content.parts[0].functionCall.args",
      retryable: false,
    });
    expect(service.bodies).toHaveLength(1);
    expect(sketch(seen.contents)).toEqual(['user: "Add."']);
  });

  test("a part of a new kind beside an answer is kept and goes back as it came", async () => {
    const odd = { hologram: { depth: 3 }, thoughtSignature: "c2ln" };
    await using service = await openRawService(answer({ text: "Look: " }, odd), answer({ text: "Bye." }));
    const chat = new Agent({ model: service.model() }).session();
    await chat.send("Hi.");
    await chat.send("And?");
    const second = JSON.parse(service.bodies[1] ?? "") as { contents: object[] };
    expect(second.contents[1]).toEqual({ role: "model", parts: [{ text: "Look: " }, odd] });
  });

  test("a model that repeats a forced call forever is forced once only, and stopped", async () => {
    const again = byStep(() => calls({ name: "add", args: { a: 1, b: 2 } }));
    await using world = await openWorld({ brain: again });
    const agent = new Agent({ model: world.model(), tools: [add], toolChoice: "required" });
    const seen = await watch(face, agent, "Add.");
    expect(seen.result).toMatchObject({ stopReason: "repeated-calls", turns: 3 });
    const modes = sentBy(world).map(({ toolConfig }) => toolConfig?.["functionCallingConfig"]);
    expect(modes).toEqual([{ mode: "ANY" }, undefined, undefined]);
    expect(seen.contents.at(-1)?.parts[0]).toHaveProperty("functionResponse");
  });
});
