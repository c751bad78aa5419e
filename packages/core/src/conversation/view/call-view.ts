import type { CallRoute, CallStepValue } from "../../durable/run-log.ts";
import { isObject } from "../../internal/json.ts";
import { editedArgs } from "../../tool/edited-args.ts";
import type { PendingQuestion, ToolOutcome } from "../../tool/tool.ts";
import type { JsonObject } from "../../wire/types/content.ts";
import type { MessagePart, ToolCallPart, ToolCallState } from "../conversation.ts";
import { QUESTION_OF } from "../apply-update.ts";
import { safeFailure, safeProgress } from "./safe-texts.ts";

/** How far a run has come, as far as its calls are concerned. */
export interface CallEnding {
  /** `cut-off`: nobody runs it. `ended`: it has an end. `left`: another run follows. */
  readonly how: "going" | "cut-off" | "ended" | "left";
  /** It ended in the middle of what it did: it failed, was aborted or reached a limit. */
  readonly isEarly: boolean;
  /** It ended because calls wait for an answer. */
  readonly isWaiting: boolean;
}

/** One call of a run. */
export class CallView {
  #call: ToolCallPart;
  #state: ToolCallState = "called";
  #told: Told = {};
  /** As it was shown last, while nothing has changed. */
  #shown: ToolCallPart | undefined;

  constructor(call: ToolCallPart) {
    this.#call = call;
  }

  /** It has ended, or somebody has decided that it will not run. */
  get isOver(): boolean {
    return ["done", "failed", "denied", "not-run"].includes(this.#state);
  }

  /** What was decided about it before it could run. */
  route(route: CallRoute): void {
    if ("args" in route && route.args !== undefined) this.edit(route.args);
    if (route.do === "deny") this.end({ ok: false, kind: "denied", message: "" });
    else if (route.do === "ask-approval") this.ask("approval");
    else if (route.do === "ask-outcome") this.ask("outcome");
  }

  ask(question: PendingQuestion): void {
    const found = Object.entries(QUESTION_OF).find(([, one]) => one === question)?.[0];
    // The keys of that table are states.
    if (found !== undefined) this.#set(found as ToolCallState);
  }

  /** A person gave it other arguments. */
  edit(args: JsonObject): void {
    this.#call = { ...this.#call, args, edited: true };
    this.#shown = undefined;
  }

  /** Its tool begins. */
  begin(): void {
    if (this.#state === "called") this.#set("running");
  }

  report(progress: unknown): void {
    if (this.#state === "running") this.#set("running", { progress: safeProgress(progress) });
  }

  /** It will run, perhaps once more. */
  reopen(): void {
    this.#set("called");
  }

  end(outcome: ToolOutcome): void {
    if (outcome.ok) return this.#set("done", { output: outcome.output ?? null });
    const { kind } = outcome;
    const isState = kind === "denied" || kind === "not-run" || kind === "cancelled";
    this.#set(isState ? kind : "failed", { failure: safeFailure(kind) });
  }

  /** What its step recorded. */
  endStep(value: CallStepValue): void {
    if (value.unknown === true) this.ask("unknown-outcome");
    else this.end(value.failure ?? { ok: true, output: value.part.functionResponse?.response["output"] });
  }

  /** A person's or a program's answer to what it waited for. */
  answer(question: PendingQuestion, given: unknown): void {
    if (question === "approval") {
      const args = editedArgs(given);
      if (args !== undefined) this.edit(args);
      if (given === true || args !== undefined) this.reopen();
      else this.end({ ok: false, kind: "denied", message: "" });
    } else if (isObject(given) && "notExecuted" in given) this.reopen();
    else if (isObject(given) && "output" in given) this.end({ ok: true, output: given["output"] });
    else this.end({ ok: false, kind: "failed", message: "" });
  }

  /** What the model was told in the end, where it differs from what is known. */
  tell(output: unknown): void {
    if (this.#state === "done") this.#set("done", { output });
  }

  show(run: CallEnding): ToolCallPart {
    const state = this.#stateIn(run);
    if (this.#shown?.state === state) return this.#shown;
    const failure = state === "cancelled" || state === "not-run" ? { failure: safeFailure(state) } : {};
    const { progress, ...told } = this.#told;
    const going = run.how === "going" && progress !== undefined ? { progress } : {};
    this.#shown = { ...this.#call, state, ...failure, ...told, ...going };
    return this.#shown;
  }

  #set(state: ToolCallState, told: Told = {}): void {
    this.#state = state;
    this.#told = told;
    this.#shown = undefined;
  }

  /** A call that has not ended in a run that is over. */
  #stateIn({ how, isEarly, isWaiting }: CallEnding): ToolCallState {
    const isAsked = QUESTION_OF[this.#state] !== undefined;
    const isOpen = isAsked || this.#state === "called" || this.#state === "running";
    if (how === "going" || !isOpen) return this.#state;
    if (how === "cut-off") return isAsked ? this.#state : "cancelled";
    if (isEarly) return "cancelled";
    return isWaiting && how === "ended" ? this.#state : "not-run";
  }
}

type Told = Pick<ToolCallPart, "output" | "failure" | "progress">;

/** True for a call of the model's. */
export function isCall(part: MessagePart): part is ToolCallPart {
  return part.type === "tool-call";
}
