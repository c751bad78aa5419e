import { addUsage, NO_USAGE, type Usage } from "../model/usage.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Content, Part } from "../wire/content.ts";
import type { NestedRun } from "../tool/tool.ts";
import { CallGate } from "./call-gate.ts";
import type { CallStepValue } from "./call-step.ts";
import type { Spent } from "./limits.ts";
import type { RunSoFar } from "./run-so-far.ts";
import { closeOpenCalls } from "./transcript.ts";

/** Progress of one run. Only the loop writes to it; what is read from outside is a copy. */
export class RunState {
  readonly runId: string;
  /** History and what the run added, growing. */
  readonly contents: Content[];
  turns = 0;
  toolCalls = 0;
  usage: Usage = NO_USAGE;
  /** Answers that can carry sources, in the order they came, those of nested runs included. */
  readonly responses: ModelResponse[] = [];
  /** True when a source came from a nested run. */
  nested = false;
  /** Responses of the open turn that are ready, by call index. */
  readonly answered: Map<number, Part> = new Map();
  /** Bad calls so far, by tool name. */
  readonly badCalls: Map<string, number> = new Map();
  /** When the first request began and the last step ended, in milliseconds since the epoch, as the steps recorded it. */
  startedAt: number | undefined;
  endedAt = 0;
  /** The wall-time limit fired. */
  wallTimeUp = false;

  /** Lets the calls of a turn in. */
  readonly gate: CallGate;
  /** The latest answer of the run itself. */
  lastResponse: ModelResponse | undefined;

  constructor(runId: string, contents: readonly Content[], concurrency: number) {
    this.runId = runId;
    this.contents = [...contents];
    this.gate = new CallGate(concurrency);
  }

  sawResponse(response: ModelResponse): void {
    this.lastResponse = response;
    this.usage = addUsage(this.usage, response.usage);
    this.responses.push(response);
  }

  sawCall(name: string, value: CallStepValue): void {
    this.sawTime(value.startedAt, value.endedAt);
    for (const run of value.nested) this.#sawNested(run);
    if (value.failure?.kind === "bad-input") this.badCalls.set(name, (this.badCalls.get(name) ?? 0) + 1);
  }

  #sawNested(run: NestedRun): void {
    // The context of a nested run says nothing about how full the caller's is.
    this.usage = { ...addUsage(this.usage, run.usage), contextTokens: this.usage.contextTokens };
    this.responses.push(...run.responses);
    this.nested ||= run.responses.length > 0;
  }

  sawTime(startedAt: number, endedAt: number): void {
    this.startedAt ??= startedAt;
    this.endedAt = Math.max(this.endedAt, endedAt);
  }

  spent(): Spent {
    const wallTimeMs = this.wallTimeUp ? Number.POSITIVE_INFINITY : this.endedAt - (this.startedAt ?? this.endedAt);
    return { turns: this.turns, toolCalls: this.toolCalls, usage: this.usage, wallTimeMs };
  }

  /** What there is by now, in a form that can be sent. */
  soFar(): RunSoFar {
    return {
      runId: this.runId,
      contents: [...closeOpenCalls(this.contents, this.answered)],
      turns: this.turns,
      usage: this.usage,
    };
  }
}
