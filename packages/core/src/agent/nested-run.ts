import { RunStepError } from "../errors/run-errors.ts";
import type { RunBuiltIn } from "../grounding/delegate.ts";
import { whenAborted } from "../internal/abort.ts";
import { groundingResponses } from "../loop/build-result.ts";
import type { CompactionPlan } from "../loop/loop-input.ts";
import { type RunResult, runSoFar } from "../loop/result.ts";
import type { RunIdentity } from "../loop/run-context.ts";
import { type RunEmitters, RunStream } from "../loop/run-stream.ts";
import { userText } from "../loop/transcript.ts";
import { withoutServerTools } from "../loop/turn/model-turn.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { OpenedRun } from "../session/runs/session-host.ts";
import { SUMMARY_REQUEST } from "../tool/model-texts.ts";
import type { BuiltInTool, NestedRun, ParentRun } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import type { AgentOptions, AnyRunOptions } from "./options.ts";
import { buildContents } from "./run-input.ts";

/** The runs inside an agent's runs: the same loop with other tools and no instructions; their cost is added to the outer run. */
export class NestedRuns {
  readonly #prices: AgentOptions["prices"];
  readonly #settings: ModelSettings;
  readonly #open: (run: RunToNest) => OpenedRun;
  /** Runs a built-in tool alone, for models that do not accept it beside functions. */
  readonly ask: RunBuiltIn = async (builtIn, prompt, context) => {
    const attach = (run: NestedRun): void => context.attach(run);
    return await this.#run(buildContents(prompt), [builtIn], context.signal, attach, context.parent);
  };

  constructor(prices: AgentOptions["prices"], settings: ModelSettings, open: (run: RunToNest) => OpenedRun) {
    this.#prices = prices;
    this.#settings = { ...settings, cachedContent: undefined }; // the cache contains the agent's own tools
    this.#open = open;
  }

  /** Summarizes contents for a run. */
  summarizer(
    instructions: string | undefined,
    { runId, metadata }: Pick<RunIdentity, "runId" | "metadata">,
    prices: ParentRun["prices"],
  ): CompactionPlan["summarize"] {
    return async (contents, { step, signal, traceparent }, attach) => {
      const request = userText(instructions ?? SUMMARY_REQUEST);
      const { text, stopReason } = await this.#run([...contents.map(withoutServerTools), request], [], signal, attach, {
        step: { runId, step, ...(traceparent !== undefined && { traceparent }) },
        metadata,
        prices,
      });
      if (stopReason !== "finished" || text.trim() === "")
        throw new RunStepError(`the conversation could not be summarized (${stopReason})`, "compact");
      return text;
    };
  }

  async #run(
    contents: readonly Content[],
    tools: readonly BuiltInTool[],
    outer: AbortSignal,
    attach: (run: NestedRun) => void,
    parent: Pick<ParentRun, "step" | "metadata" | "prices"> | undefined,
  ): Promise<RunResult<unknown>> {
    const options: AnyRunOptions = {
      tools,
      instructions: "",
      signal: nestedSignal(outer),
      hooks: {},
      prepareTurn: () => undefined,
      guardrails: {},
      stopWhen: [],
      prices: parent?.prices ?? this.#prices,
      compaction: false,
      parent: parent?.step,
      metadata: parent?.metadata,
    };
    const run = new RunStream<unknown>((emitters) =>
      this.#open({ contents, options, settings: this.#settings, emitters }),
    );
    return await attachNested(run.result(), attach);
  }
}

/** What differs from one run inside a run to the next. */
export interface RunToNest {
  readonly contents: readonly Content[];
  readonly options: AnyRunOptions;
  readonly settings: ModelSettings;
  readonly emitters: RunEmitters | undefined;
}

/**
 * A signal for a run inside a call. It aborts with the call's signal, but with its own reason: an abort reason carries what its
 * run had done, and the calling run's reason has to carry the calling run.
 */
export function nestedSignal(outer: AbortSignal): AbortSignal {
  const inner = new AbortController();
  whenAborted(outer, () => inner.abort(new DOMException("the parent run was aborted", "AbortError")));
  return inner.signal;
}

/** Waits for a run inside a call and adds its cost and sources to the calling run's result, even if it failed. */
export async function attachNested(
  run: Promise<RunResult<unknown>>,
  attach: (run: NestedRun) => void,
): Promise<RunResult<unknown>> {
  try {
    const result = await run;
    const { usage, cost, unpriced } = result;
    attach({ usage, cost, unpriced, responses: groundingResponses(result) });
    return result;
  } catch (error) {
    const soFar = runSoFar(error);
    if (soFar !== undefined) attach({ usage: soFar.usage, cost: soFar.cost, unpriced: soFar.unpriced, responses: [] });
    throw error;
  }
}
