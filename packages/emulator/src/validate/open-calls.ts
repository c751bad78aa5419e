import type { Part } from "@pollux/core/wire";
import { isCall, isResponse } from "./subject.ts";

/** The calls of a model's turn, grouped by who answers them. */
export interface CallsOfTurn {
  /** For the client to answer. */
  readonly open: readonly Part[];
  /** Answered by the service, such as calls to its MCP servers: the response follows in the same turn. */
  readonly answered: readonly Part[];
  /** Responses without a call before them. */
  readonly stray: readonly Part[];
}

/** A response in a model's turn answers the first open call before it that has its name and id. */
export function callsOfTurn(parts: readonly Part[]): CallsOfTurn {
  const open: Part[] = [];
  const answered: Part[] = [];
  const stray: Part[] = [];
  for (const part of parts) {
    if (isCall(part)) open.push(part);
    if (!isResponse(part)) continue;
    const { name, id } = part.functionResponse ?? {};
    const at = open.findIndex(({ functionCall: call }) => call?.name === name && (call?.id || "") === (id || ""));
    if (at === -1) stray.push(part);
    else answered.push(...open.splice(at, 1));
  }
  return { open, answered, stray };
}
