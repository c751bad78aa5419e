import type { CallRoute, CallStepValue, InputCheckValue } from "../../durable/run-log.ts";
import type { Citation } from "../../grounding/sources.ts";
import { hasSources } from "../../loop/build-result.ts";
import { isResult } from "../../loop/calls/run-call.ts";
import type { ModelResponse } from "../../model/model.ts";
import { listAttempts, readAnswer } from "../../session/log/derive-open.ts";
import { standOf } from "../../session/log/call-standing.ts";
import type { PlacedSteps } from "../../session/log/run-record.ts";
import type { ReadSource } from "../../tool/reads.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { MessagePart, PartCitation } from "../conversation.ts";
import {
  answerParts,
  liveParts,
  userParts,
  type CallsLeft,
  type KnownCall,
  showCall,
  standCall,
} from "./answer-parts.ts";

/** An answer that is in progress, or was never finished. It hides a complete one of its turn. */
export interface LiveAnswer {
  readonly turn: number;
  readonly parts: Part[];
  /** The user's messages that its request included. */
  readonly steering?: readonly Content[] | undefined;
  /** Guardrails hold it, or the rest of it. */
  readonly checking?: true | undefined;
}

/** One turn of a run: the messages before its answer, the answer, and its calls. */
export class TurnView {
  readonly turn: number;
  /** Number of complete answers; all but the last are void. */
  answers = 0;
  /** The last complete answer, if it is shown. */
  response: ModelResponse | undefined;
  readonly calls: Map<string, KnownCall> = new Map();
  /** What outside answers to its calls bring into the history, by call. */
  readonly given: Map<string, Pick<ReadSource, "reads">> = new Map();
  /** The parts that the message shows. */
  shown: readonly MessagePart[] = [];
  /** Guardrails have yet to check the answer: it is shown only while the run is in progress. */
  #isUnchecked = false;
  /** The unchecked answer is hidden, except for the part that was shown as it arrived. */
  isHeld = false;
  /** An answer that is not used. */
  #dropped: ModelResponse | undefined;
  /** Answers that may have sources, including void ones. */
  #grounded: readonly ModelResponse[] = [];
  /** The same for runs inside its calls. */
  readonly #nested: Map<string, readonly ModelResponse[]> = new Map();
  #compactions = 0;
  #steerings: readonly (readonly Content[])[] = [];
  #parts: readonly MessagePart[] = [];
  #cited: readonly MessagePart[] = [];

  constructor(turn: number) {
    this.turn = turn;
  }

  /** Reads its requests, their checks, and summaries. */
  readAnswers(steps: PlacedSteps): void {
    const { turn } = this;
    const answers = listAttempts(steps, turn).flatMap((attempt) => readAnswer(steps, attempt) ?? []);
    const given = steps.find<InputCheckValue>({ kind: "guard", side: "input", turn, attempt: 0 })?.value.response;
    const last = answers.at(-1);
    this.answers = answers.length;
    this.#compactions = steps.inTurn(turn).filter(({ place }) => place.kind === "compact").length;
    this.#isUnchecked = last?.isUnchecked === true;
    this.isHeld = last?.isUnchecked === true && last.value.guarded === "held";
    this.#grounded = answers.flatMap(({ response }) => response ?? []).filter(hasSources);
    if (last?.phase !== "output") {
      this.#steerings = answers.flatMap(({ value }) => (value.steered === undefined ? [] : [value.steered.contents]));
      const isSeen = this.#isUnchecked && !this.isHeld;
      const response = last === undefined ? given : (isSeen ? last.value : last).response;
      const isDropped = response !== undefined && response === this.#dropped;
      if (response !== this.response && !isDropped) this.#setAnswer(response);
    }
  }

  /** Reads the runs inside a call. */
  readNested(steps: PlacedSteps, callId: string): void {
    const calls = steps.inTurn(this.turn).filter(({ place }) => place.kind === "call" && place.callId === callId);
    // Such a step records this type.
    const responses = calls.flatMap(({ value }) => (value as CallStepValue).nested.flatMap((run) => run.responses));
    this.#nested.set(callId, responses.filter(hasSources));
  }

  /** Sets the content of the answer, without the response around it. */
  setContent({ parts }: Pick<Content, "parts">, standIns?: readonly string[]): void {
    this.calls.clear();
    this.#parts = answerParts(this.turn, parts, standIns);
    this.#cited = this.#parts;
    for (const part of this.#parts) if (part.type === "tool-call") this.calls.set(part.id, { part });
  }

  /** The complete answer could not be used, and was never replaced. */
  dropAnswer(): void {
    this.#dropped = this.response;
    this.#setAnswer(undefined);
  }

  /** Derives the recorded state of one of its calls, or of all. */
  followCalls(runId: string, steps: PlacedSteps, only: string | undefined): void {
    const { turn } = this;
    const routes = steps.find<readonly CallRoute[]>({ kind: "route", turn })?.value;
    const made = this.#parts.filter((part) => part.type === "tool-call");
    for (const [index, { id: callId, name, args }] of made.entries()) {
      const known = this.calls.get(callId);
      if (known === undefined || (only !== undefined && only !== callId)) continue;
      const standing = standOf(steps, { turn, callId, call: { name, args } }, routes?.[index]);
      this.calls.set(callId, standCall(known, standing, { runId, turn }));
      const reads = standing.state === "settled" && isResult(standing.outcome) ? standing.asked?.reads : undefined;
      if (reads !== undefined) this.given.set(callId, { reads });
    }
  }

  /** Adds citations to its answer. Their ranges count through all of its texts. */
  cite(citations: readonly Citation[]): void {
    // A citation that was not found in the text would mark the wrong words.
    const found = citations.filter(({ match }) => match !== "unverified");
    let from = 0;
    this.#cited = this.#parts.map((part) => {
      if (part.type !== "text") return part;
      const to = from + part.text.length;
      const own = found
        .filter(({ start, end }) => start < to && end > from)
        .map(({ start, end, sources }): PartCitation => {
          return { start: Math.max(start, from) - from, end: Math.min(end, to) - from, sources };
        });
      from = to;
      return own.length === 0 ? part : { ...part, citations: own };
    });
  }

  /** The user sent a message before its answer. */
  get isSteered(): boolean {
    return this.#steerings.length > 0;
  }

  /** All answers that may have sources, in the order in which the run counts them. */
  get grounded(): readonly ModelResponse[] {
    return [...this.#grounded, ...[...this.calls.keys()].flatMap((callId) => this.#nested.get(callId) ?? [])];
  }

  /**
   * The parts to show.
   *
   * @param live - Its answer that is in progress, or was never finished.
   * @param agent - The agent that took over before it.
   */
  parts(run: CallsLeft, live?: LiveAnswer, agent?: string): readonly MessagePart[] {
    const { turn } = this;
    const steerings = live?.steering === undefined ? this.#steerings : [...this.#steerings, live.steering];
    const parts: MessagePart[] = [
      ...(agent === undefined ? [] : [{ type: "handoff", id: `handoff:${turn}`, agent } as const]),
      ...Array.from({ length: this.#compactions }, (_, count) => {
        return { type: "compaction", id: `compaction:${turn}.${count}` } as const;
      }),
      ...steerings.map((contents, count) => {
        return { type: "steering", id: `steering:${turn}.${count}`, parts: userParts(contents) } as const;
      }),
      ...this.#answerParts(run, live),
    ];
    return parts.length === 0 ? parts : [{ type: "turn", id: `turn:${turn}`, turn }, ...parts];
  }

  #answerParts(run: CallsLeft, live: LiveAnswer | undefined): readonly MessagePart[] {
    if (live !== undefined) return liveParts(this.turn, live.parts, run.isRunning);
    if (this.#isUnchecked && !run.isRunning) return [];
    return this.#cited.map((part) => {
      const call = this.calls.get(part.id);
      return call === undefined ? part : showCall(call, run);
    });
  }

  #setAnswer(response: ModelResponse | undefined): void {
    this.response = response;
    this.setContent(response?.content ?? { parts: [] }, response?.standIns);
  }
}
