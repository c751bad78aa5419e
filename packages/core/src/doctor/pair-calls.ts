import { unansweredResponse } from "../loop/transcript.ts";
import { withoutResponses } from "../model/history/change-calls.ts";
import {
  describeCall,
  endOfSide,
  isAnswerTo,
  listNames,
  openCallsIn,
  readCalls,
  responsesIn,
} from "../model/history/open-calls.ts";
import { RESULT_NOT_RECORDED } from "../model/history/import-history.ts";
import type { Content, FunctionCall, FunctionResponse, Part } from "../wire/types/content.ts";

/** Reports what was wrong, and what was done about it. */
type ReportChange = (problem: string, remedy: string) => void;

/**
 * Makes sure that each open call is answered once, in call order, in the content right after it, and that there are no other
 * responses. Responses of the service itself stay. Returns the given contents if nothing had to change.
 *
 * @param first - Nothing precedes the contents, so they must not begin with a call.
 */
export function pairCalls(contents: readonly Content[], first: boolean, report: ReportChange): readonly Content[] {
  const paired: Content[] = [];
  let isChanged = false;
  const change: ReportChange = (problem, remedy) => {
    isChanged = true;
    report(problem, remedy);
  };
  for (let at = 0; at < contents.length;) {
    const content = contents[at];
    if (content === undefined) break;
    if (content.role === "user") {
      paired.push(...dropResponses(content, change));
      at++;
      continue;
    }
    const isOpening = first && paired.length === 0 && readCalls([content]).length > 0;
    const turnEnd = endOfSide(contents, at, true);
    const turn = contents.slice(at, turnEnd);
    const open = openCallsIn(turn);
    if (!isOpening && open.length === 0) {
      paired.push(...turn);
      at = turnEnd;
      continue;
    }
    if (turn.length > 1 && !isOpening && isAnswered(open, contents[turnEnd])) {
      paired.push(...contents.slice(at, turnEnd + 1));
      at = turnEnd + 1;
      continue;
    }
    const calls = readCalls(turn).flatMap(({ call, at: index, response }) => (index === 0 && !response ? call : []));
    const next = contents[at + 1];
    const reply = calls.length > 0 && next?.role === "user" && responsesIn(next).length > 0 ? next : undefined;
    at += reply === undefined ? 1 : 2;
    if (!isOpening) {
      paired.push(content);
      if (calls.length > 0) paired.push(...pairResponses(calls, reply, change));
      continue;
    }
    const names = listNames(readCalls([content]).map(({ call }) => call));
    change(`the history begins with a call to ${names}`, "it is omitted together with its response");
    if (reply !== undefined) paired.push(...dropResponses(reply, () => {}));
  }
  return isChanged ? paired : contents;
}

/** True when a content has a response for each of these calls, in any order, and nothing else. */
function isAnswered(calls: readonly FunctionCall[], reply: Content | undefined): boolean {
  if (reply?.role !== "user") return false;
  const left = [...reply.parts];
  return calls.every((call) => takeResponse(left, call) !== undefined) && left.length === 0;
}

/** One response for each call, then the other parts of the reply; the reply itself if it is correct. */
function pairResponses(
  calls: readonly FunctionCall[],
  found: Content | undefined,
  change: ReportChange,
): readonly Content[] {
  const left = (found?.parts ?? []).filter((part) => part.functionResponse !== undefined);
  const parts = calls.map((call): Part => {
    const part = takeResponse(left, call);
    if (part !== undefined) return part;
    change(`the call to ${describeCall(call)} has no response`, "it is answered as cancelled");
    return unansweredResponse(call, RESULT_NOT_RECORDED);
  });
  for (const { functionResponse } of left) if (functionResponse) reportStray(functionResponse, change);
  if (found === undefined) return [{ role: "user", parts }];
  if (parts.length === found.parts.length && parts.every((part, i) => part === found.parts[i])) return [found];
  if (left.length === 0 && parts.every((part) => found.parts.includes(part)))
    change(
      `the responses to ${listNames(calls)} are not in call order, or not alone in their content`,
      "they are put in call order, alone",
    );
  return [{ role: "user", parts }, ...withoutResponses(found)];
}

function takeResponse(parts: Part[], call: FunctionCall): Part | undefined {
  const index = parts.findIndex(({ functionResponse: response }) => response && isAnswerTo(response, call));
  return index === -1 ? undefined : parts.splice(index, 1)[0];
}

/** A content that answers no call, without its responses: one content, or none. */
function dropResponses(content: Content, change: ReportChange): readonly Content[] {
  const responses = responsesIn(content);
  if (responses.length === 0) return [content];
  for (const response of responses) reportStray(response, change);
  return withoutResponses(content);
}

function reportStray(response: FunctionResponse, change: ReportChange): void {
  change(`the response from ${describeCall(response)} matches no call`, "it is omitted");
}
