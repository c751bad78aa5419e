import { isObject, tryOr } from "../internal/json.ts";
import { openCallsIn } from "../model/history/open-calls.ts";
import type { Content, FunctionCall, FunctionResponse } from "../wire/types/content.ts";

/** A call as it is executed and shown. */
export interface MeantCall {
  readonly call: FunctionCall;
  /** The name that the model called, if that was a stand-in tool: the response has this name. */
  readonly via?: string | undefined;
}

/** The call that a call of a stand-in tool means. Without a tool's name and an input, it means itself. */
export function readStandIn(call: FunctionCall, standIns: readonly string[]): MeantCall {
  if (!standIns.includes(call.name)) return { call };
  const { name, input = {} } = call.args ?? {};
  // Some models write the input as a string.
  const args: unknown = typeof input === "string" ? tryOr(() => JSON.parse(input) as unknown, undefined) : input;
  if (typeof name !== "string" || !isObject(args)) return { call };
  return { call: { ...call, name, args }, via: call.name };
}

/** The call with the name that the model gave it. */
export function asMade({ call, via }: MeantCall): FunctionCall {
  return via === undefined ? call : { ...call, name: via };
}

/** The contents, in which calls and responses have the names of the tools that were meant. */
export function asMeant(contents: readonly Content[], standIns: readonly string[] | undefined): readonly Content[] {
  if (standIns === undefined) return contents;
  let open: MeantCall[] = [];
  const nameOf = (response: FunctionResponse): string => {
    const at = open.findIndex((one) => asMade(one).name === response.name);
    return open.splice(at, at < 0 ? 0 : 1)[0]?.call.name ?? response.name;
  };
  return contents.map((content) => {
    if (content.role === "model") open = openCallsIn([content]).map((call) => readStandIn(call, standIns));
    const parts = content.parts.map((part) => {
      const { functionCall: call, functionResponse: response } = part;
      if (call !== undefined) return { ...part, functionCall: readStandIn(call, standIns).call };
      return response === undefined ? part : { ...part, functionResponse: { ...response, name: nameOf(response) } };
    });
    return { ...content, parts };
  });
}
