import type { Content } from "../../wire/types/content.ts";
import { saidParts } from "../view/answer-parts.ts";
import type { CallsLeft } from "../view/call-view.ts";
import type { Message, MessagePart } from "../conversation.ts";
import { TurnView } from "../view/turn-view.ts";

/** Contents of a history that has no runs. */
const OVER: CallsLeft = { isGoing: false, asked: "withdrawn", open: "not-run" };

/**
 * Contents that came from elsewhere as messages: one of the user's for each that somebody said, one of the assistant's for all that
 * follows it.
 *
 * @param first - Number of the first of them.
 */
export function historyMessages(contents: readonly Content[], first: number): readonly Message[] {
  const messages: Message[] = [];
  let turns: TurnView[] = [];
  const add = (role: Message["role"], parts: readonly MessagePart[]): void => {
    if (parts.length === 0) return;
    const id = `history:${first + messages.length}`;
    messages.push({ id, role, state: "complete", parts, sources: [], searchSuggestions: [] });
  };
  const addAnswer = (): void => {
    add(
      "assistant",
      turns.flatMap((turn) => turn.parts(OVER)),
    );
    turns = [];
  };
  for (const content of contents) {
    if (content.role === "model") {
      turns.push(turnOf(turns.length + 1, content));
      continue;
    }
    const said = content.parts.filter((part) => part.functionResponse === undefined);
    const last = turns.at(-1);
    const isAnswered = last !== undefined && endCalls(last, content);
    // Media that go with a tool's results are not what somebody said.
    if (said.length === 0 || (isAnswered && said.length < content.parts.length)) continue;
    addAnswer();
    add("user", saidParts([{ ...content, parts: said }]));
  }
  addAnswer();
  return messages;
}

function turnOf(number: number, content: Content): TurnView {
  const turn = new TurnView(number);
  turn.setContent(content);
  return turn;
}

/** @returns Whether the content has answers to the turn's calls. */
function endCalls(turn: TurnView, { parts }: Content): boolean {
  const responses = parts.flatMap(({ functionResponse }) => functionResponse ?? []);
  for (const [index, call] of [...turn.calls.values()].entries()) {
    const response = responses[index]?.response;
    if (response === undefined) continue;
    call.end(
      "error" in response
        ? { ok: false, kind: "failed", message: "" }
        : { ok: true, output: response["output"] ?? response },
    );
  }
  return responses.length > 0;
}
