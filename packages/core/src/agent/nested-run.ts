import { RunStepError } from "../errors/run-errors.ts";
import { whenAborted } from "../internal/abort.ts";
import { groundingResponses, readSources } from "../loop/build-result.ts";
import { withDefaults } from "../loop/limits.ts";
import type { CompactionPlan } from "../loop/loop-input.ts";
import { type RunResult, runSoFar } from "../loop/result.ts";
import { type RunningLoop, RunStream } from "../loop/run-stream.ts";
import { userText } from "../loop/transcript.ts";
import { withoutServerTools } from "../loop/turn/model-turn.ts";
import type { SessionRun } from "../session/runs/session-host.ts";
import { SUMMARY_REQUEST } from "../tool/model-texts.ts";
import type { ReadSource } from "../tool/reads.ts";
import type { BuiltInTool, NestedRun, ParentRun, ToolContext } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import type { AgentOptions, RunPlan } from "./options.ts";

/** Makes a run inside a run: the same loop with other tools and no instructions; its cost is added to the outer run. */
export type RunInside = (
  contents: readonly Content[],
  tools: readonly BuiltInTool[],
  outer: Pick<ToolContext, "signal" | "attach"> & {
    readonly parent?: Pick<ParentRun, "step" | "metadata" | "prices" | "rehearsal"> | undefined;
  },
) => Promise<RunResult<unknown>>;

/** Makes the runs inside an agent's runs. */
export function runsInside(
  options: AgentOptions,
  open: (plan: RunPlan, run: Pick<SessionRun<unknown>, "contents" | "conversation" | "emitters">) => RunningLoop,
): RunInside {
  const { prices } = options;
  // The agent's other limits bound its own runs only.
  const { repeats, restarts, requestsPerTurn } = withDefaults(options.limits);
  // A cache contains the agent's own tools.
  const settings = { ...options.settings, cachedContent: undefined };
  return async (contents, tools, { signal, attach, parent }) => {
    const plan: RunPlan = {
      tools,
      settings,
      limits: withDefaults({ repeats, restarts, requestsPerTurn }),
      prices: parent?.prices ?? prices,
      parent: parent?.step,
      metadata: parent?.metadata,
      rehearsal: parent?.rehearsal,
      signal: nestedSignal(signal),
    };
    const run = new RunStream<unknown>((emitters) => open(plan, { contents, conversation: {}, emitters }));
    return await attachNested(run.result(), attach);
  };
}

/** Summarizes contents for a run. */
export function summarizer(
  runInside: RunInside,
  instructions: string | undefined,
  { runId, ...run }: Pick<ParentRun, "metadata" | "prices" | "rehearsal"> & { readonly runId: string },
): CompactionPlan["summarize"] {
  return async (contents, { step, signal, traceparent }, attach) => {
    const parent = { ...run, step: { runId, step, ...(traceparent !== undefined && { traceparent }) } };
    const request = [...contents.map(withoutServerTools), userText(instructions ?? SUMMARY_REQUEST)];
    const { text, stopReason } = await runInside(request, [], { signal, attach, parent });
    if (stopReason === "finished" && text.trim() !== "") return text;
    throw new RunStepError(`the conversation could not be summarized (${stopReason})`, "compact");
  };
}

/** Aborts with the call, with a reason of its own: an abort reason carries its run so far, and the call's belongs to the outer run. */
export function nestedSignal(outer: AbortSignal): AbortSignal {
  const inner = new AbortController();
  whenAborted(outer, () => inner.abort(new DOMException("the parent run was aborted", "AbortError")));
  return inner.signal;
}

/** What a call has read, given what the run inside it has read; all of it if that run has no result. */
export type ReadFrom<Result> = (
  read: readonly ReadSource[],
  result?: Result,
) => NestedRun["read"] | Promise<NestedRun["read"]>;

/** Waits for a run inside a call and adds its cost and sources to the calling run's result, even if it failed. */
export async function attachNested(
  run: Promise<RunResult<unknown>>,
  attach: (run: NestedRun) => void,
  readFrom: ReadFrom<RunResult<unknown>> = () => undefined,
): Promise<RunResult<unknown>> {
  try {
    const result = await run;
    attach(buildNested(result, groundingResponses(result), await readFrom(readSources(result), result)));
    return result;
  } catch (error) {
    const soFar = runSoFar(error);
    if (soFar !== undefined) attach(buildNested(soFar, [], await readFrom(soFar.read ?? [])));
    throw error;
  }
}

/** What a run inside a call adds to the calling run's result. */
export function buildNested(
  { usage, cost, unpriced }: Omit<NestedRun, "responses">,
  responses: NestedRun["responses"] = [],
  read?: NestedRun["read"],
): NestedRun {
  return { usage, cost, unpriced, responses, ...(read !== undefined && read.length > 0 && { read }) };
}
