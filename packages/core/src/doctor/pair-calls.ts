import { callsIn, unansweredResponse } from "../loop/transcript.ts";
import { describeCall, listNames } from "../model/history/conversation.ts";
import { RESULT_NOT_RECORDED } from "../model/history/import-history.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../wire/types/content.ts";
import type { SessionProblem } from "./read-lines.ts";

/** What was wrong, and what was made of it. */
export type Change = Omit<SessionProblem, "position">;

/** A segment of history in which each call has its one response. */
export interface PairedCalls {
  /** The same objects where nothing had to change. */
  readonly contents: readonly Content[];
  readonly changes: readonly Change[];
}

/**
 * Sees to it that each call is answered once, in call order, in one content right behind it, and that nothing else is answered.
 *
 * @param options - `first`: whether nothing was said before, so that the model cannot begin with a call.
 */
export function pairCalls(contents: readonly Content[], { first }: { readonly first: boolean }): PairedCalls {
  const paired: Content[] = [];
  const changes: Change[] = [];
  for (let at = 0; at < contents.length;) {
    const content = contents[at];
    if (content === undefined) break;
    const turnEnd = endOfTurn(contents, at);
    const isOpening = first && paired.length === 0 && callsIn(content).length > 0;
    if (content.role === "user") {
      paired.push(...dropResponses(content, changes));
      at++;
    } else if (turnEnd > at + 1 && !isOpening && isAnswered(contents.slice(at, turnEnd), contents[turnEnd])) {
      paired.push(...contents.slice(at, turnEnd + 1));
      at = turnEnd + 1;
    } else {
      at += isOpening || callsIn(content).length > 0 ? pairOne(content, contents[at + 1], isOpening) : keep(content);
    }
  }
  return { contents: paired, changes };

  function keep(content: Content): number {
    paired.push(content);
    return 1;
  }

  /** @returns How many contents are dealt with. */
  function pairOne(content: Content, next: Content | undefined, isOpening: boolean): number {
    const calls = callsIn(content);
    const isReply = next !== undefined && next.role === "user" && responsesIn(next).length > 0;
    if (isOpening) {
      changes.push({
        problem: `the history begins with a call to ${listNames(calls)}`,
        remedy: "it is omitted together with its response",
      });
      if (isReply) paired.push(...dropResponses(next, []));
    } else {
      paired.push(content, ...pairResponses(calls, isReply ? next : undefined, changes));
    }
    return isReply ? 2 : 1;
  }
}

/** Neighbouring contents of the model are one turn. */
function endOfTurn(contents: readonly Content[], start: number): number {
  let end = start;
  while (contents[end]?.role === "model") end++;
  return end;
}

/** True when a content holds a response for each call of a turn, in whatever order, and nothing else. */
function isAnswered(turn: readonly Content[], reply: Content | undefined): boolean {
  const left = [...(reply?.parts ?? [])];
  for (const call of turn.flatMap(callsIn)) {
    const index = left.findIndex(
      ({ functionResponse }) => functionResponse !== undefined && answers(functionResponse, call),
    );
    if (index === -1) return false;
    left.splice(index, 1);
  }
  return left.length === 0 && reply?.role === "user" && reply.parts.length > 0;
}

/** One response for each call, and behind it what else was said: the content that is there, if it is right. */
function pairResponses(
  calls: readonly FunctionCall[],
  found: Content | undefined,
  changes: Change[],
): readonly Content[] {
  const left = (found?.parts ?? []).filter((part) => part.functionResponse !== undefined);
  const parts = calls.map((call): Part => {
    const index = left.findIndex(({ functionResponse: response }) => response !== undefined && answers(response, call));
    const part = left[index];
    if (part !== undefined) {
      left.splice(index, 1);
      return part;
    }
    changes.push({
      problem: `the call of ${describeCall(call)} has no response`,
      remedy: "it is answered as cancelled",
    });
    return unansweredResponse(call, RESULT_NOT_RECORDED);
  });
  for (const { functionResponse } of left)
    if (functionResponse !== undefined) changes.push(strayResponse(functionResponse));
  if (found === undefined) return [{ role: "user", parts }];
  if (parts.length === found.parts.length && parts.every((part, i) => part === found.parts[i])) return [found];
  const rest = found.parts.filter((part) => part.functionResponse === undefined);
  if (left.length === 0 && parts.every((part) => found.parts.includes(part)))
    changes.push({
      problem: `the responses to ${listNames(calls)} are not in call order, or not alone in their content`,
      remedy: "they are put in call order, alone",
    });
  return [{ role: "user", parts }, ...(rest.length > 0 ? [{ ...found, parts: rest }] : [])];
}

/** What is left of a content that answers no call: none or one. */
function dropResponses(content: Content, changes: Change[]): readonly Content[] {
  const responses = responsesIn(content);
  if (responses.length === 0) return [content];
  changes.push(...responses.map(strayResponse));
  const parts = content.parts.filter((part) => part.functionResponse === undefined);
  return parts.length === 0 ? [] : [{ ...content, parts }];
}

function strayResponse(response: FunctionResponse): Change {
  return { problem: `a response of ${describeCall(response)} answers no call`, remedy: "it is left out" };
}

function answers(response: FunctionResponse, call: FunctionCall): boolean {
  // An empty id is none.
  return (response.id || "") === (call.id || "") && response.name === call.name;
}

function responsesIn(content: Content): FunctionResponse[] {
  return content.parts.flatMap(({ functionResponse }) => functionResponse ?? []);
}
