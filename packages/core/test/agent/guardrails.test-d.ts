import {
  Agent,
  defineTool,
  type GuardrailRun,
  type GuardrailStop,
  type InputGuardrail,
  maskText,
  type OutputGuardrail,
  type PrepareTurn,
  type RunContext,
  type RunResult,
  stopText,
  type ToolContext,
} from "@pollux/core";
import { describe, expectTypeOf, test } from "vitest";

interface App {
  readonly user: string;
}
const model = "gemini-flash-latest";
const whose = defineTool({ name: "whose", description: "x", run: (_, { context }: ToolContext<App>) => context.user });

describe("guardrails", () => {
  test("get the context of the agent", () => {
    void new Agent({
      model,
      tools: [whose],
      guardrails: {
        input: [{ name: "in", check: ({ context }) => (context.user === "" ? { stop: "nobody" } : undefined) }],
        output: [{ name: "out", check: ({ context, text }) => ({ replace: `${context.user}: ${text}` }) }],
      },
    });
  });

  test("that look at the text only fit any agent", () => {
    const guardrails = { output: [maskText("secret"), stopText(/x/, { maxLength: 1 })] };
    expectTypeOf(new Agent({ model, tools: [whose], guardrails })).toExtend<Agent<App>>();
    expectTypeOf(maskText("secret")).toExtend<OutputGuardrail<App>>();
  });

  test("that need a context do not fit an agent without it", () => {
    const needsApp: InputGuardrail<App> = { name: "in", check: ({ context }) => void context.user };
    const needsNone: OutputGuardrail = { name: "out", check: () => undefined };
    void new Agent<App>({ model, guardrails: { input: [needsApp], output: [needsNone] } });
    expectTypeOf<InputGuardrail<App>>().not.toExtend<InputGuardrail<RunContext>>();
    expectTypeOf<InputGuardrail>().toExtend<InputGuardrail<App>>();
    expectTypeOf(new Agent({ model, guardrails: { input: [needsApp] } })).toExtend<Agent<App>>();
  });

  test("return what they may, and nothing else", () => {
    // @ts-expect-error an answer is replaced by a text
    const wrong: OutputGuardrail = { name: "out", check: () => ({ replace: [{ role: "user", parts: [] }] }) };
    // @ts-expect-error a stop has a reason
    const silent: InputGuardrail = { name: "in", check: () => ({ stop: true }) };
    void [wrong, silent];
  });

  test("that stop a run are a member of its results", () => {
    expectTypeOf<Extract<RunResult, { stopReason: "guardrail" }>>().toEqualTypeOf<GuardrailRun>();
    expectTypeOf<GuardrailRun["guardrail"]>().toEqualTypeOf<GuardrailStop>();
  });
});

describe("a prepared turn", () => {
  test("gets the context of the agent, and may offer tools that need it", () => {
    void new Agent({
      model,
      tools: [whose],
      hooks: {
        prepareTurn: ({ context, turn }) => (turn > 1 ? { tools: [whose], instructions: context.user } : undefined),
      },
    });
    const prepare: PrepareTurn<App> = async ({ context }) => ({ tools: ["whose", whose], instructions: context.user });
    void new Agent({ model, tools: [whose], hooks: { prepareTurn: prepare } });
    expectTypeOf<PrepareTurn<App>>().not.toExtend<PrepareTurn>();
  });

  test("may not offer a tool whose context nobody gives", () => {
    // @ts-expect-error it needs an App
    const prepare: PrepareTurn = () => ({ tools: [whose] });
    void prepare;
  });

  test("changes settings by their names, and nothing that does not exist", () => {
    const fits: PrepareTurn = () => ({ settings: { temperature: 0, thinking: "low" }, toolChoice: "required", model });
    // @ts-expect-error a cache belongs to the whole run
    const cached: PrepareTurn = () => ({ settings: { cachedContent: "cachedContents/x" } });
    // @ts-expect-error no such setting
    const unknown: PrepareTurn = () => ({ temperatur: 0 });
    void [fits, cached, unknown];
  });
});
