import type { FunctionCall } from "@pollux/core";
import { readStandIn } from "@pollux/core/durable";
import { fieldsOf, type Fields, listOf, textOf } from "./read-values.ts";

/**
 * The calls of a response that the client has to answer, in call order, without calls that the service answered itself. A call of a
 * stand-in is given as the call of its tool.
 */
export function callsIn(response: unknown): readonly { readonly call: Fields; readonly index: number }[] {
  const { content, standIns } = fieldsOf(response);
  const names = listOf(standIns).map(String);
  const found: { call: Fields; index: number }[] = [];
  for (const [index, part] of listOf(fieldsOf(content)["parts"]).entries()) {
    const { functionCall, functionResponse } = fieldsOf(part);
    if (functionCall !== undefined) found.push({ call: fieldsOf(functionCall), index });
    else if (functionResponse !== undefined) {
      const { id, name } = fieldsOf(functionResponse);
      const own = found.findIndex(({ call }) => (id !== undefined && call["id"] === id) || call["name"] === name);
      if (own !== -1) found.splice(own, 1);
    }
  }
  // A call in a log may have any members; readers check the ones they use.
  return found.map(({ call, index }) => ({
    call: fieldsOf(readStandIn(call as unknown as FunctionCall, names).call),
    index,
  }));
}

export function callNames(response: unknown): readonly string[] {
  return callsIn(response).map(({ call }) => textOf(call["name"]) ?? "");
}
