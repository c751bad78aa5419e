import type { ModelResponse } from "../../model/model.ts";
import type { Content } from "../../wire/types/content.ts";
import type { Citation } from "../../grounding/sources.ts";
import { AnswerParts, saidParts } from "./answer-parts.ts";
import { type CallEnding, CallView, isCall } from "./call-view.ts";
import type { MessagePart } from "../conversation.ts";
import { citeParts, mayHaveSources } from "./grounding-parts.ts";

/** An answer that is under way, or was never finished. */
export interface LiveAnswer {
  readonly said: AnswerParts;
  /** What the user said that went along with its request. */
  readonly steering?: readonly Content[] | undefined;
}

/** One turn of a run: what was said before its answer, the answer, and its calls. */
export class TurnView {
  readonly turn: number;
  compactions = 0;
  /** Whole answers; each but the last is void. */
  answers = 0;
  /** The last whole answer. */
  response: ModelResponse | undefined;
  /** Hides the whole answer: it is being made anew. */
  live: LiveAnswer | undefined;
  readonly calls: Map<string, CallView> = new Map();
  /** Responses of runs inside its calls. */
  readonly nested: Map<string, readonly ModelResponse[]> = new Map();
  /** All answers, the void ones included. */
  readonly responses: ModelResponse[] = [];
  /** What the message shows of it. */
  shown: readonly MessagePart[] = [];
  /** Nothing of it is shown anew for now: it is only read once more. */
  isHeld = false;
  /** Guardrails have yet to check the answer: it is shown only while the run is going. */
  isUnchecked = false;
  /** Answers that may be based on something. */
  readonly #grounded: ModelResponse[] = [];
  readonly #steerings: (readonly Content[])[] = [];
  #parts: readonly MessagePart[] = [];
  #cited: readonly MessagePart[] = [];

  constructor(turn: number) {
    this.turn = turn;
  }

  /** The turn's answer is whole. */
  addAnswer(response: ModelResponse, steered: readonly Content[] | undefined): void {
    this.answers++;
    this.live = undefined;
    this.response = response;
    this.responses.push(response);
    if (mayHaveSources(response)) this.#grounded.push(response);
    if (steered !== undefined) this.#steerings.push(steered);
    this.addContent(response.content);
  }

  /** The turn's answer is whole, and nobody may see it yet. */
  withhold(steered: readonly Content[] | undefined): void {
    this.live = undefined;
    if (steered !== undefined) this.#steerings.push(steered);
  }

  /** What the model said, without the response around it. */
  addContent({ parts }: Content): void {
    this.calls.clear();
    this.#parts = new AnswerParts(this.turn, "whole", parts).parts;
    this.#cited = this.#parts;
    for (const part of this.#parts) if (isCall(part)) this.calls.set(part.id, new CallView(part));
  }

  /** A guardrail withdrew the answer: nothing is based on it either. */
  withdraw(): void {
    if (this.response === undefined) return;
    this.responses.pop();
    this.dropAnswer();
  }

  /** The whole answer could not be used, and was never made anew. */
  dropAnswer(): void {
    this.response = undefined;
    this.calls.clear();
    this.#parts = [];
    this.#cited = [];
  }

  cite(citations: readonly Citation[]): void {
    this.#cited = citeParts(this.#parts, citations);
  }

  /** Nothing but text: the run would end with it. */
  get isFinal(): boolean {
    return this.response !== undefined && this.calls.size === 0;
  }

  /** The answers of this turn and of runs inside of its calls, in the order in which the run counts them. */
  allResponses(): readonly ModelResponse[] {
    const own = this.isUnchecked ? [] : this.responses;
    return [...own, ...[...this.calls.keys()].flatMap((callId) => this.nested.get(callId) ?? [])];
  }

  /** True for an answer that may be based on something. */
  get isGrounded(): boolean {
    return this.response !== undefined && this.#grounded.includes(this.response);
  }

  /** {@link allResponses}, as far as they may be based on something. */
  groundedResponses(): readonly ModelResponse[] {
    return this.#grounded.length + this.nested.size === 0 ? [] : this.allResponses().filter(mayHaveSources);
  }

  /** What there is to show. */
  parts(run: CallEnding): readonly MessagePart[] {
    const { turn } = this;
    const parts: MessagePart[] = [];
    for (let count = 0; count < this.compactions; count++)
      parts.push({ type: "compaction", id: `compaction:${turn}.${count}` });
    const steerings = this.live?.steering === undefined ? this.#steerings : [...this.#steerings, this.live.steering];
    for (const [count, contents] of steerings.entries())
      parts.push({ type: "steering", id: `steering:${turn}.${count}`, parts: saidParts(contents) });
    parts.push(...this.#answerParts(run));
    return parts.length === 0 ? parts : [{ type: "step", id: `step:${turn}`, turn }, ...parts];
  }

  /** The answer was left in the middle: what there is of it. */
  interrupted(): readonly MessagePart[] {
    return this.live?.said.saidParts ?? [];
  }

  #answerParts(run: CallEnding): readonly MessagePart[] {
    if (this.live !== undefined) return run.how === "going" ? this.live.said.streaming() : this.interrupted();
    if (this.isUnchecked && run.how !== "going") return [];
    return this.#cited.map((part) => this.calls.get(part.id)?.show(run) ?? part);
  }
}
