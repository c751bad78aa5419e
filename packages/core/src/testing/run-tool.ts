import { Agent } from "../agent/agent.ts";
import type { OptionsArgument, RunOptions } from "../agent/options.ts";
import { afterTurns } from "../loop/limits.ts";
import type { Observer } from "../loop/observers/observer.ts";
import type { CompletedToolCall, Tool } from "../tool/tool.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { Content, JsonObject } from "../wire/types/content.ts";
import { ScriptedModel } from "./scripted-model.ts";
import { call } from "./turns.ts";

/** Options of {@link runTool}: the options of a run that affect a call. */
export type RunToolOptions<Context> = Pick<
  RunOptions<undefined, Context>,
  "context" | "metadata" | "hooks" | "signal" | "runId" | "limits" | "rehearsal"
> & {
  /** Observe the run; `threw` receives what the tool threw. @defaultValue none */
  readonly observers?: readonly Observer[] | undefined;
  /** Called with what the tool reports, in order. */
  readonly onProgress?: ((progress: unknown) => void) | undefined;
};

/** How a call of {@link runTool} ended: as in `toolCalls` of a result, with the answer that the model would read. */
export type RanTool<Completed extends CompletedToolCall> = ToolCall<Completed> & {
  /** The contents that answer the call; empty while it is pending. */
  readonly answer: readonly Content[];
};

/**
 * Runs one tool as a run would: the arguments are checked, and its time limit, retries, masking of errors and limit on the result's size
 * apply. Approvals are granted.
 * @param input - What the model would send: before defaults and transforms.
 * @throws The signal's reason when it aborts, and what a hook throws. A failure of the tool is an outcome.
 * @example
 * ```ts
 * const ran = await runTool(getWeather, { city: "Oslo" }, { context: { user: "ann" } });
 * if (ran.status === "completed") expect(ran.output).toEqual({ celsius: 4 });
 * ```
 */
export async function runTool<Input, Output, Context, const Name extends string, Args, Ends extends boolean>(
  tool: Tool<Input, Output, Context, Name, Args, Ends>,
  input: NoInfer<Args>,
  ...options: OptionsArgument<RunToolOptions<Context>, Context>
): Promise<RanTool<CompletedToolCall<Name, Args, Output, Ends>>> {
  // The element of an OptionsArgument, whose type depends on the context.
  const { onProgress, observers, ...run }: RunToolOptions<unknown> = (options[0] ?? {}) as RunToolOptions<unknown>;
  const agent = new Agent({
    model: new ScriptedModel(call(tool.name, input as JsonObject)),
    // The context is given below, where its type is that of the tool.
    tools: [tool as unknown as Tool],
    approve: () => true,
    observers,
    stopWhen: [afterTurns(1)],
  });
  const stream = agent.stream("Call the tool.", run);
  for await (const event of stream) if (event.type === "tool-progress") onProgress?.(event.progress);
  const { toolCalls, added } = await stream.result();
  const [made] = toolCalls;
  if (made === undefined) throw new TypeError(`${tool.name} was not called`);
  const answer = made.status === "pending" ? [] : added.slice(2);
  // The tool validates its input, and gives its output.
  return { ...made, answer } as RanTool<CompletedToolCall<Name, Args, Output, Ends>>;
}
