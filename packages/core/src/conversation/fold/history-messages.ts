import type { ToolOutcome } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import { saidParts } from "../view/answer-parts.ts";
import type { CallsLeft } from "../view/call-part.ts";
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
    const id = `history:${first + messages.length}`;
    if (parts.length > 0) messages.push({ id, role, state: "complete", parts, sources: [], searchSuggestions: [] });
  };
  const addAnswer = (): void => {
    const parts = turns.flatMap((turn) => turn.parts(OVER));
    add("assistant", parts);
    turns = [];
  };
  for (const content of contents) {
    if (content.role === "model") {
      const turn = new TurnView(turns.length + 1);
      turn.setContent(content);
      turns.push(turn);
      continue;
    }
    const said = content.parts.filter((part) => part.functionResponse === undefined);
    endCalls(turns.at(-1), content);
    // Media that go with a tool's results are not what somebody said.
    if (said.length === 0 || (turns.length > 0 && said.length < content.parts.length)) continue;
    addAnswer();
    add("user", saidParts([{ ...content, parts: said }]));
  }
  addAnswer();
  return messages;
}

function endCalls(turn: TurnView | undefined, { parts }: Content): void {
  const responses = parts.flatMap(({ functionResponse }) => functionResponse ?? []);
  for (const [index, call] of [...(turn?.calls.values() ?? [])].entries()) {
    const response = responses[index]?.response;
    if (response === undefined) continue;
    const isFailed = "error" in response;
    const outcome: ToolOutcome = isFailed
      ? { ok: false, kind: "failed", message: "" }
      : { ok: true, output: response["output"] ?? response };
    turn?.calls.set(call.part.id, { ...call, outcome });
  }
}
