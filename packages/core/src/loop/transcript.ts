import { openCallsIn } from "../model/history/open-calls.ts";
import { CANCELLED } from "../tool/model-texts.ts";
import type { Content, FunctionCall, Part } from "../wire/types/content.ts";

/** True when the last turn is the model's and has open calls, which must be answered before anything is sent. */
export function endsOnOpenCall(contents: readonly Content[]): boolean {
  return closing(contents, new Map(), "").length > 0;
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
  const turn = contents.slice(contents.findLastIndex(({ role }) => role !== "model") + 1);
  const calls = openCallsIn(turn);
  if (calls.length === 0) return [];
  return [{ role: "user", parts: calls.map((call, index) => known.get(index) ?? unansweredResponse(call, why)) }];
}

/** The response to a call that was not executed, with the reason. */
export function unansweredResponse({ id, name }: FunctionCall, why: string): Part {
  const response = { error: why };
  // The service rejects an empty id.
  return { functionResponse: id === undefined || id === "" ? { name, response } : { id, name, response } };
}
