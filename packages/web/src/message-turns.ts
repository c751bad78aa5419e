import type { Message, MessagePart, ToolCallState } from "@pollux/core/conversation";

/** One turn's parts of a message of the assistant. */
export interface MessageTurn {
  /** Id of the part that opens it; undefined for parts before the first such part. */
  readonly id: string | undefined;
  readonly turn: number;
  readonly parts: readonly MessagePart[];
}

/** A message of the assistant, split into turns. */
export function turnsOf({ parts }: Message): readonly MessageTurn[] {
  const turns: (MessageTurn & { readonly parts: MessagePart[] })[] = [];
  for (const part of parts) {
    if (part.type === "turn") turns.push({ id: part.id, turn: part.turn, parts: [] });
    else if (turns.length === 0) turns.push({ id: undefined, turn: 0, parts: [part] });
    else turns.at(-1)?.parts.push(part);
  }
  return turns;
}

/** True when nothing more is added to a message, unless its run is resumed. */
export function isOver({ state }: Message): boolean {
  return state !== "streaming" && state !== "waiting";
}

/** States of a call that has ended. */
export const ENDED: ReadonlySet<ToolCallState> = new Set(["done", "failed", "denied", "not-run", "cancelled"]);
