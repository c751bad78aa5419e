import type { CallStepValue } from "../../durable/run-log.ts";
import type { CallStanding } from "../../session/log/follow-call.ts";
import { buildPendingCall } from "../../tool/pending-call.ts";
import type { PendingCall, ToolFailureKind, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { ToolCallPart, ToolCallState } from "../conversation.ts";
import { QUESTION_OF } from "../apply-update.ts";
import { safeFailure, safeProgress } from "./safe-texts.ts";

/** What a run leaves of calls that have not ended: of those that wait for an answer, and of others. Absent: they stay as they are. */
export interface CallsLeft {
  readonly isGoing: boolean;
  readonly asked?: ToolFailureKind | undefined;
  readonly open?: ToolFailureKind | undefined;
}

/** One call of a run. */
export class CallView {
  /** As the model made it. */
  readonly made: FunctionCall;
  #part: ToolCallPart;
  #state: ToolCallState = "called";
  #told: Told = {};
  /** It may have taken effect: the log says that it began. */
  #hasBegun = false;
  /** As it was shown last, while nothing has changed. */
  #shown: ToolCallPart | undefined;

  constructor(part: ToolCallPart) {
    this.#part = part;
    this.made = { name: part.name, args: part.args };
  }

  /** It has ended, or somebody has decided that it will not run. */
  get isOver(): boolean {
    return ["done", "failed", "denied", "not-run"].includes(this.#state);
  }

  /** How it stands, as far as its run has recorded that. */
  stand(runId: string, turn: number, standing: CallStanding): void {
    const { state, call, edited } = standing;
    if (edited === true) this.edit(call.args ?? {});
    switch (state) {
      case "ended":
        return this.endWith(standing.step.value);
      case "settled":
        return this.end(standing.outcome);
      case "asking": {
        const { question, asked, time } = standing;
        return this.ask(buildPendingCall(runId, { turn, callId: this.#part.id, call, question }, asked, time));
      }
      case "begun":
        this.#hasBegun = true;
        return this.#state === "running" ? undefined : this.#set("running");
      default:
        if (this.#state !== "running") this.#set("called");
    }
  }

  ask({ question, token, approvedBy, editable }: Pick<PendingCall, "question" | keyof Asks>): void {
    const found = Object.entries(QUESTION_OF).find(([, one]) => one === question)?.[0];
    if (found === undefined) return;
    const asks = {
      token,
      ...(approvedBy !== undefined && { approvedBy }),
      ...(editable !== undefined && { editable }),
    };
    // The keys of that table are states.
    this.#set(found as ToolCallState, { asks });
  }

  /** A person gave it other arguments. */
  edit(args: JsonObject): void {
    this.#part = { ...this.#part, args, edited: true };
    this.#shown = undefined;
  }

  /** Its tool begins. */
  begin(): void {
    if (this.#state === "called") this.#set("running");
  }

  report(progress: unknown): void {
    if (this.#state === "running") this.#set("running", { progress: safeProgress(progress) });
  }

  end(outcome: ToolOutcome): void {
    if (outcome.ok) this.#set("done", { output: outcome.output ?? null });
    else this.#set(stateAfter(outcome.kind), { failure: safeFailure(outcome.kind) });
  }

  /** With what it was answered. */
  endWith({ failure, part }: CallStepValue): void {
    this.end(failure ?? { ok: true, output: part.functionResponse?.response["output"] });
  }

  show(run: CallsLeft): ToolCallPart {
    const left = this.#leftBy(run);
    const state = left === undefined ? this.#state : stateAfter(left);
    if (this.#shown?.state === state) return this.#shown;
    const now: Told = left === undefined ? this.#told : { failure: safeFailure(left) };
    this.#shown = { ...this.#part, state, ...now };
    return this.#shown;
  }

  #set(state: ToolCallState, told: Told = {}): void {
    this.#state = state;
    this.#told = told;
    this.#shown = undefined;
  }

  /** Why it never ends. */
  #leftBy({ asked, open }: CallsLeft): ToolFailureKind | undefined {
    const isAsked = QUESTION_OF[this.#state] !== undefined;
    const isOpen = this.#state === "called" || this.#state === "running";
    const kind = isAsked ? asked : isOpen ? open : undefined;
    const mayBeDone = this.#state === "pending-outcome" || (this.#state === "running" && this.#hasBegun);
    return kind !== undefined && mayBeDone ? "unknown-outcome" : kind;
  }
}

/** The state of a call that failed. */
export function stateAfter(kind: ToolFailureKind): ToolCallState {
  if (kind === "withdrawn") return "not-run";
  return kind === "denied" || kind === "not-run" || kind === "cancelled" ? kind : "failed";
}

type Told = Pick<ToolCallPart, "output" | "failure" | "progress" | "asks">;

type Asks = NonNullable<ToolCallPart["asks"]>;
