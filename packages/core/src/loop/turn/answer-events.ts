import type { Step } from "../../durable/steps.ts";
import { isCallPiece } from "../../model/response/parts.ts";
import type { Part } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import { type OutputDelta, JsonGrowth } from "../output/json-growth.ts";

/** Reports one answer while it arrives: its parts, and how its output grows when it is to be JSON. */
export class AnswerEvents {
  readonly #turn: number;
  readonly #to: Pick<Step<RunEvent>, "emit">;
  #growth: JsonGrowth | undefined;

  /** @param isTyped - The answer is asked for as JSON. */
  constructor(turn: number, to: Pick<Step<RunEvent>, "emit">, isTyped: boolean) {
    this.#turn = turn;
    this.#to = to;
    if (isTyped) this.#growth = new JsonGrowth();
  }

  /** Reports what one chunk brought. */
  add(parts: readonly Part[]): void | Promise<void> {
    return this.#growth === undefined ? emitParts(parts, this.#turn, this.#to) : this.#addTyped(parts, this.#growth);
  }

  /** What was reported is void: the answer starts over. */
  restart(): void {
    if (this.#growth !== undefined) this.#growth = new JsonGrowth();
  }

  /** The answer is whole. */
  async end(): Promise<void> {
    await this.#emitStep(this.#growth?.end());
  }

  async #addTyped(parts: readonly Part[], growth: JsonGrowth): Promise<void> {
    await emitParts(parts, this.#turn, this.#to);
    for (const { text, thought } of parts)
      if (text !== undefined && thought !== true) await this.#emitStep(growth.add(text));
  }

  async #emitStep(step: OutputDelta | undefined): Promise<void> {
    if (step !== undefined) await this.#to.emit({ type: "output-delta", turn: this.#turn, ...step });
  }
}

/** Reports parts; adjacent text of the same kind becomes one delta. */
function emitParts(parts: readonly Part[], turn: number, to: Pick<Step<RunEvent>, "emit">): void | Promise<void> {
  const [only] = parts;
  // The usual chunk.
  if (parts.length === 1 && only?.text !== undefined) {
    if (only.text === "") return;
    return to.emit({ type: only.thought === true ? "thought-delta" : "text-delta", turn, delta: only.text });
  }
  return emitAll(partEvents(parts, turn), to);
}

async function emitAll(events: readonly RunEvent[], to: Pick<Step<RunEvent>, "emit">): Promise<void> {
  for (const event of events) await to.emit(event);
}

function partEvents(parts: readonly Part[], turn: number): readonly RunEvent[] {
  const events: RunEvent[] = [];
  for (const part of parts) {
    if (part.text === undefined) events.push(isCallPiece(part) ? pieceEvent(part, turn) : { type: "part", turn, part });
    else if (part.text !== "") {
      const type = part.thought === true ? "thought-delta" : "text-delta";
      const last = events.at(-1);
      const isAdjacent = last?.type === type && (last.type === "text-delta" || last.type === "thought-delta");
      if (isAdjacent) events.pop();
      events.push({ type, turn, delta: isAdjacent ? last.delta + part.text : part.text });
    }
  }
  return events;
}

function pieceEvent({ functionCall: call }: Part, turn: number): RunEvent {
  const { name = "", id, partialArgs: delta = [] } = call ?? {};
  return { type: "call-args-delta", turn, name, ...(id !== undefined && { id }), delta };
}
