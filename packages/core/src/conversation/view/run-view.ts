import type { Cost } from "../../model/prices.ts";
import type { Citation, Source } from "../../grounding/sources.ts";
import type { GuardrailStop } from "../../loop/guardrails.ts";
import type { Limits } from "../../loop/limits.ts";
import type { EndReason } from "../../session/log/entries.ts";
import type { ModelResponse } from "../../model/model.ts";
import type { Usage } from "../../model/usage.ts";
import { visibleText } from "../../model/response/parts.ts";
import type { CallEnding } from "./call-view.ts";
import type {
  ConversationChange,
  InterruptionPart,
  Message,
  MessageError,
  MessagePart,
  MessageSource,
  MessageState,
} from "../conversation.ts";
import { collectCitations, collectGrounding, NO_GROUNDING, type RunGrounding, showSource } from "./grounding-parts.ts";
import { changedFields, partChanges } from "../part-changes.ts";
import { TurnView } from "./turn-view.ts";

/** How a run ended. */
export interface RunViewEnd extends Cost {
  readonly stopReason: EndReason;
  readonly limit?: keyof Limits | undefined;
  readonly limitScope?: Message["limitScope"];
  readonly guardrail?: GuardrailStop | undefined;
  readonly usage?: Usage | undefined;
  readonly error?: MessageError | undefined;
}

/** A run as one message of the assistant: what is known of it, and what of that is shown. */
export class RunView {
  readonly runId: string;
  readonly messageId: string;
  readonly #byNumber: Map<number, TurnView> = new Map();
  /** In order. */
  readonly #turns: TurnView[] = [];
  readonly #changed: Set<TurnView> = new Set();
  /** Undefined while it is going, or was cut off. */
  end: RunViewEnd | undefined;
  /** False once it is known that nobody runs it. */
  hasRunner = true;
  /** Another run follows. */
  isLeft = false;
  /** The next message left its unfinished answer out. */
  isDropped = false;
  #shown: Message;
  #grounding: RunGrounding = NO_GROUNDING;
  #interruption: InterruptionPart | undefined;
  #isChanged = false;

  /** @param message - What is shown of it already. */
  constructor(runId: string, message: Message) {
    this.runId = runId;
    this.messageId = message.id;
    this.#shown = message;
    let turn: TurnView | undefined;
    for (const part of message.parts) {
      if (part.type === "interruption") this.#interruption = part;
      else if (part.type === "step") {
        turn = this.turn(part.turn);
        turn.isHeld = true;
      }
      if (turn !== undefined && part.type !== "interruption") turn.shown = [...turn.shown, part];
    }
  }

  turn(number: number): TurnView {
    const known = this.#byNumber.get(number);
    if (known !== undefined) return known;
    const turn = new TurnView(number);
    this.#byNumber.set(number, turn);
    this.#turns.splice(this.#turns.findLastIndex((one) => one.turn < number) + 1, 0, turn);
    return turn;
  }

  turns(): readonly TurnView[] {
    return this.#turns;
  }

  get isGoing(): boolean {
    return this.end === undefined && this.hasRunner && !this.isLeft;
  }

  /** The turn that was left in the middle of its answer. */
  get interruptedTurn(): number | undefined {
    return this.#interruption?.turn;
  }

  /** Something in a turn has changed; without a turn, in any. */
  touch(turn?: TurnView): void {
    this.#isChanged = true;
    if (turn !== undefined) this.#changed.add(turn);
    else for (const one of this.#turns) this.#changed.add(one);
  }

  /** Answers have come: finds out what they are based on. */
  ground(more: readonly ModelResponse[] = []): void {
    const found = collectGrounding([...this.#turns.flatMap((turn) => turn.groundedResponses()), ...more]);
    if (found !== NO_GROUNDING) this.setGrounding(found);
  }

  /** @param last - Citations of the last answer, where they are known; otherwise only its own. */
  setGrounding(
    grounding: RunGrounding,
    last?: { readonly text: string; readonly citations: readonly Citation[] },
  ): void {
    this.#grounding = grounding;
    this.#isChanged = true;
    const answered = this.#turns.findLast(({ response }) => response !== undefined);
    for (const turn of this.#turns) {
      if (turn.response === undefined || !(turn === answered || turn.isGrounded)) continue;
      const isTold = last !== undefined && turn === answered && visibleText(turn.response.content) === last.text;
      turn.cite(isTold ? last.citations : collectCitations(turn.response, grounding.sources, undefined));
      this.touch(turn);
    }
  }

  /** The last answer may quote earlier ones, whose sources are then its own. */
  citeLast(): void {
    const turns = this.turns();
    const last = turns.findLast(({ response }) => response !== undefined);
    if (last?.response === undefined || this.#grounding.sources.length === 0) return;
    const earlier = turns.flatMap((turn) => turn.allResponses()).filter((one) => one !== last.response);
    last.cite(collectCitations(last.response, this.#grounding.sources, earlier));
    this.touch(last);
  }

  /** A part has grown by what a change says. */
  grow(turn: TurnView, partId: string, delta: string): void {
    turn.shown = turn.shown.map((part) =>
      part.id === partId && "text" in part ? { ...part, text: part.text + delta } : part,
    );
  }

  /** What has changed in the message since it was shown last. */
  show(): readonly ConversationChange[] {
    if (!this.#isChanged) return [];
    this.#isChanged = false;
    const changes = [...this.#showFields(), ...this.#showSources()];
    const ending = this.#ending();
    const turns = this.turns();
    for (const turn of [...this.#changed].toSorted((a, b) => a.turn - b.turn)) {
      if (turn.isHeld) continue;
      this.#changed.delete(turn);
      const target = turn.parts(ending);
      changes.push(...partChanges(this.messageId, turn.shown, target, lastIdBefore(turns, turn.turn)));
      turn.shown = target;
    }
    return [...changes, ...this.#showInterruption(turns)];
  }

  #showInterruption(turns: readonly TurnView[]): readonly ConversationChange[] {
    const left = this.isGoing ? undefined : turns.findLast((turn) => !turn.isHeld && turn.interrupted().length > 0);
    const target: readonly MessagePart[] =
      left === undefined
        ? []
        : [
            {
              type: "interruption",
              id: "interruption",
              turn: left.turn,
              ...(this.isDropped && { dropped: true }),
            } satisfies InterruptionPart,
          ];
    const shown = this.#interruption === undefined ? [] : [this.#interruption];
    this.#interruption = target[0] as InterruptionPart | undefined;
    return partChanges(this.messageId, shown, target, lastIdBefore(turns, Infinity));
  }

  #showFields(): readonly ConversationChange[] {
    const { id, role, parts, sources, runId, at, ...old } = this.#shown;
    const next = this.#fields();
    const { set, unset } = changedFields(old, next);
    if (Object.keys(set).length + unset.length === 0) return [];
    this.#shown = {
      id,
      role,
      parts,
      sources,
      ...(runId !== undefined && { runId }),
      ...(at !== undefined && { at }),
      ...next,
    };
    return [{ type: "message-fields", messageId: id, set, ...(unset.length > 0 && { unset }) }];
  }

  #fields(): Omit<Message, "id" | "role" | "parts" | "sources" | "runId" | "at"> {
    const { stopReason, limit, limitScope, guardrail, usage, cost, pricesAsOf, error } = this.end ?? {};
    const { name = "", side = "input", message } = guardrail ?? {};
    return {
      state: this.#state(),
      searchSuggestions: this.#grounding.searchSuggestions,
      ...(stopReason !== undefined && { stopReason }),
      ...(limit !== undefined && { limit }),
      ...(limitScope !== undefined && { limitScope }),
      ...(guardrail !== undefined && { guardrail: { name, side, ...(message !== undefined && { message }) } }),
      ...(usage !== undefined && { usage }),
      ...(cost !== undefined && { cost, ...(pricesAsOf !== undefined && { pricesAsOf }) }),
      ...(error !== undefined && { error }),
    };
  }

  #state(): MessageState {
    if (this.end === undefined) return this.isGoing ? "streaming" : "interrupted";
    switch (this.end.stopReason) {
      case "finished":
      case "stopped":
        return "complete";
      case "limit":
      case "guardrail":
      case "aborted":
        return "stopped";
      case "needs-approval":
      case "needs-outcome":
        return this.isLeft ? "stopped" : "waiting";
      default:
        return "failed";
    }
  }

  #ending(): CallEnding {
    const { end } = this;
    const isEarly = end === undefined || endsEarly(end);
    return {
      how: this.isLeft ? "left" : end !== undefined ? "ended" : this.hasRunner ? "going" : "cut-off",
      isEarly,
      isWaiting: end?.stopReason === "needs-approval" || end?.stopReason === "needs-outcome",
    };
  }

  #showSources(): readonly ConversationChange[] {
    const { sources } = this.#grounding;
    const old = this.#shown.sources;
    const next = sources.length === 0 && old.length === 0 ? old : sources.map((one: Source) => showSource(one));
    const from = sameLength(old, next);
    if (from === old.length && from === next.length) return [];
    this.#shown = { ...this.#shown, sources: next };
    return [{ type: "sources", messageId: this.messageId, from, sources: next.slice(from) }];
  }
}

/** True for a run that ended in the middle of what it did. */
export function endsEarly({ stopReason }: Pick<RunViewEnd, "stopReason">): boolean {
  return ["failed", "aborted", "damaged", "limit"].includes(stopReason);
}

/** Id of the last part before a turn. */
function lastIdBefore(turns: readonly TurnView[], turn: number): string | undefined {
  return turns.findLast((one) => one.turn < turn && one.shown.length > 0)?.shown.at(-1)?.id;
}

/** How many of the first sources are the same. */
function sameLength(a: readonly MessageSource[], b: readonly MessageSource[]): number {
  let length = 0;
  while (length < a.length && isSame(a[length], b[length])) length++;
  return length;
}

function isSame(a: MessageSource | undefined, b: MessageSource | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
