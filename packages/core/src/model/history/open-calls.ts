import type { Content, FunctionCall, FunctionResponse } from "../../wire/types/content.ts";

/** A call of a model turn. */
export interface CallInTurn {
  readonly call: FunctionCall;
  /** Index of its content in the turn. */
  readonly at: number;
  /** The service's own response, in the same turn; absent for an open call, which the client has to answer. */
  readonly response?: FunctionResponse | undefined;
}

/**
 * The calls of a model turn, in order. This alone decides which of them are open.
 *
 * Some functions are run by the service, such as those of its MCP servers: the call, its response and the text after it then come
 * in one model turn. Such a response belongs to the earlier call with its ID; if one of the two has no ID, to the first unanswered
 * one with its name. Responses in `user` contents answer open calls.
 *
 * @param turn - One model content, or several adjacent ones: the service reads them as one turn.
 */
export function readCalls(turn: readonly Content[]): readonly CallInTurn[] {
  const calls: { call: FunctionCall; at: number; response?: FunctionResponse }[] = [];
  for (const [at, { parts }] of turn.entries())
    for (const { functionCall: call, functionResponse: response } of parts) {
      if (call) calls.push({ call, at });
      if (!response) continue;
      const open = calls.filter((one) => one.response === undefined);
      const own = open.find((one) => response.id && one.call.id === response.id) ?? open.find(isNamesake(response));
      if (own !== undefined) own.response = response;
    }
  return calls;
}

function isNamesake({ id, name }: FunctionResponse): (one: { readonly call: FunctionCall }) => boolean {
  // An empty ID is none.
  return ({ call }) => call.name === name && (!id || !call.id);
}

/** The open calls of a model turn, in order; see {@link readCalls}. */
export function openCallsIn(turn: readonly Content[]): FunctionCall[] {
  const open: FunctionCall[] = [];
  for (const { call, response } of readCalls(turn)) if (response === undefined) open.push(call);
  return open;
}
