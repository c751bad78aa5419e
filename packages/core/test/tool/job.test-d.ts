import {
  Agent,
  defineJob,
  defineTool,
  MemoryStore,
  type PollJobsOptions,
  pollJobs,
  type ToolContext,
} from "@pollux/core";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const words = { name: "research", description: "d" } as const;

test("the input of a job is its schema's, and its output that of the outcome, not of the start", () => {
  const job = defineJob({
    ...words,
    input: z.object({ question: z.string(), depth: z.number().default(1) }),
    output: z.object({ report: z.string(), at: z.string().transform(Number) }),
    start: (input, { callback, idempotencyKey }) => {
      expectTypeOf(input).toEqualTypeOf<{ question: string; depth: number }>();
      expectTypeOf(callback).toEqualTypeOf<string>();
      return idempotencyKey;
    },
    check: (jobId, { since }) => {
      expectTypeOf([jobId, since] as const).toEqualTypeOf<readonly [string, number]>();
      return { output: { report: "r", at: "7" } };
    },
    cancel: async () => {},
  });
  const agent = new Agent({ model: "gemini-flash-latest", tools: [job] });
  const made = async () => {
    const { toolCalls } = await agent.session().send("Go.");
    for (const call of toolCalls)
      if (call.status === "completed")
        expectTypeOf(call.output).toEqualTypeOf<{ readonly report: string; readonly at: number }>();
  };
  expectTypeOf(made).toBeFunction();
});

test("without schemas there is no input, and any output", () => {
  const job = defineJob({
    ...words,
    start: (input) => (expectTypeOf(input).toEqualTypeOf<Record<string, never>>(), "1"),
  });
  expectTypeOf(job["~call"]).exclude<undefined>().toHaveProperty("output").toEqualTypeOf<unknown>();
});

test("wrong options of a job do not compile", () => {
  const start = () => "1";
  // @ts-expect-error -- it needs a start
  void (() => defineJob({ ...words }));
  // @ts-expect-error -- the id is a text
  void (() => defineJob({ ...words, start: () => 7 }));
  // @ts-expect-error -- a job is not free of effects
  void (() => defineJob({ ...words, start, effects: "none" }));
  // @ts-expect-error -- it is not run
  void (() => defineJob({ ...words, start, run: () => 7 }));
  const output = z.object({ report: z.string() });
  // @ts-expect-error -- the output is not of its schema
  void (() => defineJob({ ...words, output, start, check: () => ({ output: { report: 7 } }) }));
});

test("the context that a job needs is the agent's, and the poller's", () => {
  interface App {
    readonly user: string;
  }
  const job = defineJob({ ...words, start: (_input, { context }: Pick<ToolContext<App>, "context">) => context.user });
  const tool = defineTool({ name: "t", description: "d", run: () => 1 });
  const agent = new Agent<App>({ model: "gemini-flash-latest", tools: [job, tool] });
  const rest = { agent, store: new MemoryStore(), signal: new AbortController().signal, onError: () => {} };
  void (() => pollJobs({ ...rest, options: () => ({ context: { user: "ann" } }) }));
  // @ts-expect-error -- another context
  void (() => pollJobs({ ...rest, options: () => ({ context: { user: 7 } }) }));
  expectTypeOf<PollJobsOptions<App>["signal"]>().toEqualTypeOf<AbortSignal>();
});
