import { CANCELLED } from "../tool/model-texts.ts";
import type { Content, FunctionCall, Part } from "../wire/types/content.ts";

/** The calls of a content, in order. */
export function callsIn(content: Content): FunctionCall[] {
  const calls: FunctionCall[] = [];
  for (const part of content.parts) if (part.functionCall !== undefined) calls.push(part.functionCall);
  return calls;
}

/** True when the last content is the model's and has calls, which must be answered before anything is sent. */
export function endsOnOpenCall(contents: readonly Content[]): boolean {
  const last = contents.at(-1);
  return last !== undefined && last.role === "model" && last.parts.some((part) => part.functionCall !== undefined);
}

/** A user content with one text. */
export function userText(text: string): Content {
  return { role: "user", parts: [{ text }] };
}

/** The contents with the open calls at their end answered: with `known` by position, otherwise with the error `why`. */
export function closeOpenCalls(
  contents: readonly Content[],
  known: ReadonlyMap<number, Part> = new Map(),
  why: string = CANCELLED,
): readonly Content[] {
  const closed = closing(contents, known, why);
  return closed.length === 0 ? contents : [...contents, ...closed];
}

/** The content that answers the open calls at the end, if any. */
export function closing(
  contents: readonly Content[],
  known: ReadonlyMap<number, Part>,
  why: string,
): readonly Content[] {
  const last = contents.at(-1);
  if (last === undefined || !endsOnOpenCall(contents)) return [];
  const parts = callsIn(last).map((call, index) => known.get(index) ?? unansweredResponse(call, why));
  return [{ role: "user", parts }];
}

/** The response to a call that was not executed, with the reason. */
export function unansweredResponse({ id, name }: FunctionCall, why: string): Part {
  const response = { error: why };
  // The service rejects an empty id.
  return { functionResponse: id === undefined || id === "" ? { name, response } : { id, name, response } };
}
