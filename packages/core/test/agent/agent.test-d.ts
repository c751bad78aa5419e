import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import {
  Agent,
  type BlockedRun,
  defineTool,
  finished,
  googleSearch,
  type LimitReached,
  type PendingCall,
  type RunEvent,
  type RunResult,
  type StopReason,
  type Tool,
} from "../../src/index.ts";

declare function assertNever(value: never): never;

const agent = new Agent({ model: "gemini-flash-latest" });
const trip = z.object({ days: z.array(z.string()), budget: z.number().optional() });
type Trip = { days: string[]; budget?: number | undefined };

describe("a result", () => {
  test("narrows by its stop reason, and a switch over it is exhaustive", () => {
    const tell = (result: RunResult<Trip>): unknown => {
      switch (result.stopReason) {
        case "finished":
          return expectTypeOf(result.output).toEqualTypeOf<Trip>();
        case "limit":
          return expectTypeOf(result.limit).toEqualTypeOf<LimitReached>();
        case "blocked":
          return expectTypeOf(result).toEqualTypeOf<BlockedRun>();
        case "bad-call":
        case "unknown-finish":
          return expectTypeOf(result.finishReason).toEqualTypeOf<string>();
        case "invalid-output":
          return expectTypeOf(result.problem).toEqualTypeOf<string>();
        case "guardrail":
          return expectTypeOf(result.guardrail.side).toEqualTypeOf<"input" | "output">();
        case "needs-approval":
        case "needs-outcome":
          return expectTypeOf(result.pending).toEqualTypeOf<readonly PendingCall[]>();
        case "stopped":
        case "truncated":
        case "empty":
        case "repeated-calls":
          return result.text;
        default:
          return assertNever(result);
      }
    };
    void tell;
  });

  test("with an ending left out does not compile", () => {
    const forget = (result: RunResult): unknown => {
      switch (result.stopReason) {
        case "finished":
          return result.text;
        default:
          // @ts-expect-error -- eleven endings are left
          return assertNever(result);
      }
    };
    void forget;
    expectTypeOf<StopReason>().toEqualTypeOf<
      | "finished"
      | "stopped"
      | "limit"
      | "truncated"
      | "blocked"
      | "empty"
      | "bad-call"
      | "repeated-calls"
      | "invalid-output"
      | "needs-approval"
      | "needs-outcome"
      | "unknown-finish"
      | "guardrail"
    >();
  });

  test("has output only where the run finished", async () => {
    const result = await agent.run("Plan it.", { output: trip });
    expectTypeOf(result).toEqualTypeOf<RunResult<Trip>>();
    // @ts-expect-error -- the run may have ended otherwise
    void result.output;
    // @ts-expect-error -- only a run that a limit ended has one
    void result.limit;
    if (result.stopReason === "finished") {
      expectTypeOf(result.output.days).toEqualTypeOf<string[]>();
      // @ts-expect-error -- the schema has no such key
      void result.output.nights;
    }
    expectTypeOf(finished(result).output).toEqualTypeOf<Trip>();
  });

  test("has no output when none was requested, and unknown output for a schema without types", async () => {
    const plain = await agent.run("Hi.");
    if (plain.stopReason === "finished") expectTypeOf(plain.output).toEqualTypeOf<undefined>();
    expectTypeOf(finished(await agent.run("Plan it.", { output: "json" })).output).toEqualTypeOf<unknown>();
    expectTypeOf(finished(await agent.run("Plan it.", { output: { type: "object" } })).output).toEqualTypeOf<unknown>();
    expectTypeOf(
      finished(await agent.run("Plan it.", { output: z3.object({ n: z3.number() }) })).output,
    ).toEqualTypeOf<{
      n: number;
    }>();
    expectTypeOf(finished(await agent.stream("Plan it.", { output: trip }).result()).output).toEqualTypeOf<Trip>();
    expectTypeOf(finished(await agent.session().send("Plan it.", { output: trip })).output).toEqualTypeOf<Trip>();
  });
});

describe("events", () => {
  test("narrow by their type", async () => {
    for await (const event of agent.stream("Hi.")) {
      expectTypeOf(event).toEqualTypeOf<RunEvent>();
      if (event.type === "text-delta") expectTypeOf(event.delta).toEqualTypeOf<string>();
      // @ts-expect-error -- not every event has a delta
      void event.delta;
      // @ts-expect-error -- there is no such event
      if (event.type === "text") void 0;
    }
  });
});

describe("options", () => {
  test("that are misspelled or wrong do not compile", () => {
    // @ts-expect-error -- the model is missing
    void new Agent({});
    // @ts-expect-error -- misspelled
    void new Agent({ model: "gemini-flash-latest", instruction: "Be brief." });
    // @ts-expect-error -- misspelled
    void agent.run("Hi.", { max_turns: 3 });
    // @ts-expect-error -- misspelled inside
    void agent.run("Hi.", { limits: { turn: 3 } });
    // @ts-expect-error -- no such level
    void agent.run("Hi.", { settings: { thinking: "enormous" } });
    // @ts-expect-error -- no schema
    void agent.run("Hi.", { output: "yaml" });
    // @ts-expect-error -- a number is no prompt
    void agent.run(5);
    // @ts-expect-error -- a tool is made by defineTool
    void new Agent({ model: "gemini-flash-latest", tools: [{ name: "x" }] });
    // @ts-expect-error -- a built-in tool is called, not named
    void new Agent({ model: "gemini-flash-latest", tools: [googleSearch] });
  });

  test("take functions and built-in tools, freely mixed", () => {
    const add = defineTool({
      name: "add",
      description: "Adds.",
      input: z.object({ a: z.number(), b: z.number() }),
      run: ({ a, b }) => a + b,
    });
    void new Agent({
      model: "gemini-flash-latest",
      tools: [add, googleSearch(), agent.asTool({ description: "Helps." })],
    });
    expectTypeOf(add).toExtend<Tool>();
    defineTool({
      name: "add",
      description: "Adds.",
      input: z.object({ a: z.number() }),
      // @ts-expect-error -- the input has no such key
      run: ({ c }) => c,
    });
  });
});
