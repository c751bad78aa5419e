import { fieldsOf, type Fields, listOf, textOf } from "./read-values.ts";

/** The calls of an answer that the client has to answer, in call order: without those that the service answered itself. */
export function callsIn(content: unknown): readonly { readonly call: Fields; readonly index: number }[] {
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
  return found;
}

export function callNames(content: unknown): readonly string[] {
  return callsIn(content).map(({ call }) => textOf(call["name"]) ?? "");
}
