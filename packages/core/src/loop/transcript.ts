import type { Content, FunctionCall, Part } from "../wire/content.ts";

/** The calls of a content, in order. */
export function callsIn(content: Content): FunctionCall[] {
  const calls: FunctionCall[] = [];
  for (const part of content.parts) if (part.functionCall !== undefined) calls.push(part.functionCall);
  return calls;
}

/** Text of the parts that are not thoughts, by plain concatenation. */
export function visibleText(content: Content): string {
  let text = "";
  for (const part of content.parts) if (part.text !== undefined && part.thought !== true) text += part.text;
  return text;
}

/** True when the last content is the model's and holds calls: nothing may be sent before they are answered. */
export function endsOnOpenCall(contents: readonly Content[]): boolean {
  const last = contents.at(-1);
  return last !== undefined && last.role === "model" && last.parts.some((part) => part.functionCall !== undefined);
}

/** One `user` content that holds a response for each of the calls, in call order, and nothing else. */
export function responsesContent(parts: readonly Part[]): Content {
  return { role: "user", parts };
}

/** A content of the user with one text. */
export function userText(text: string): Content {
  return { role: "user", parts: [{ text }] };
}

/** The contents with the open calls at their end answered: by `known` where there is an answer, as cancelled elsewhere. */
export function closeOpenCalls(
  contents: readonly Content[],
  known: ReadonlyMap<number, Part> = new Map(),
): readonly Content[] {
  const last = contents.at(-1);
  if (last === undefined || !endsOnOpenCall(contents)) return contents;
  const parts = callsIn(last).map((call, index) => known.get(index) ?? cancelledResponse(call));
  return [...contents, responsesContent(parts)];
}

function cancelledResponse({ id, name }: FunctionCall): Part {
  const response = { error: "cancelled: the run ended before this call did" };
  return { functionResponse: id === undefined ? { name, response } : { id, name, response } };
}
