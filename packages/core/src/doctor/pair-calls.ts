import { unansweredResponse } from "../loop/transcript.ts";
import { describeCall, listNames } from "../model/history/conversation.ts";
import { RESULT_NOT_RECORDED } from "../model/history/import-history.ts";
import { mapParts } from "../model/history/change-calls.ts";
import { endOfSide, openCallsIn, readCalls } from "../model/history/open-calls.ts";
import type { Content, FunctionCall, Part } from "../wire/types/content.ts";

/** Takes down what was wrong, and what was done about it. */
type ReportChange = (problem: string, remedy: string) => void;

/**
 * Makes sure that each open call of a turn is answered once, in call order, in the content right after it, and that there are no other
 * responses. What the service answered itself stays. Returns the contents given when nothing had to change.
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
    const replyAt = endOfSide(contents, at, true);
    const next = endOfSide(contents, replyAt, false);
    let turn = contents.slice(at, replyAt);
    const omitted = first && paired.length === 0 ? readCalls(turn).map(({ call }) => call) : [];
    if (omitted.length > 0) {
      change(`the history begins with a call to ${listNames(omitted)}`, "it is omitted together with its response");
      turn = turn.filter((content) => readCalls([content]).length === 0);
    }
    const [reply, ...others] = contents.slice(replyAt, next);
    paired.push(...turn, ...pairResponses(openCallsIn(turn), omitted, reply, change));
    for (const other of others) paired.push(...pairResponses([], [], other, change));
    at = next;
  }
  return isChanged ? paired : contents;
}

/** One response for each call, then the other parts of the reply; the reply itself when it is right. */
function pairResponses(
  calls: readonly FunctionCall[],
  omitted: readonly FunctionCall[],
  reply: Content | undefined,
  change: ReportChange,
): readonly Content[] {
  const given = reply?.parts ?? [];
  const left = given.filter((part) => part.functionResponse !== undefined);
  for (const call of omitted) takeResponse(left, call);
  const parts = calls.map((call): Part => {
    const part = takeResponse(left, call);
    if (part !== undefined) return part;
    change(`the call to ${describeCall(call)} has no response`, "it is answered as cancelled");
    return unansweredResponse(call, RESULT_NOT_RECORDED);
  });
  for (const { functionResponse } of left)
    if (functionResponse)
      change(`the response from ${describeCall(functionResponse)} matches no call`, "it is omitted");
  if (reply !== undefined && parts.length === given.length && parts.every((part, i) => part === given[i]))
    return [reply];
  if (calls.length > 0 && left.length === 0 && parts.every((part) => given.includes(part)))
    change(
      `the responses to ${listNames(calls)} are not in call order, or not alone in their content`,
      "they are put in call order, alone",
    );
  const rest = reply && mapParts(reply, (part) => (part.functionResponse === undefined ? part : []));
  return [{ role: "user" as const, parts }, ...(rest ? [rest] : [])].filter((content) => content.parts.length > 0);
}

function takeResponse(parts: Part[], { id, name }: FunctionCall): Part | undefined {
  const index = parts.findIndex(
    // An empty id counts as none.
    ({ functionResponse: response }) => response?.name === name && (response.id || "") === (id || ""),
  );
  return index === -1 ? undefined : parts.splice(index, 1)[0];
}
