import { DEV, type Question, question, refusalOf, taken } from "../question.ts";
import { type Ask, type LiveAnswer, type LiveRequest, MODEL, pick } from "../service.ts";

const FILE = { ...DEV, file: "interactions/interaction-rules.ts" };
const UNKNOWN_ID = "v1_ChZhYWFhYWFhYWFhYWFhYWFhYWFhYWFhEhZhYWFhYWFhYWFhYWFhYWFhYWFhYWFh";
const TOOLS = {
  tools: [{ type: "function", name: "clock", description: "The time.", parameters: { type: "object" } }],
};

const create = (body: object): LiveRequest => ({ path: "v1beta/interactions", body: { model: MODEL, ...body } });
const at = (path: string, method = "GET"): LiveRequest => ({ path: `v1beta/interactions/${path}`, method });
const idOf = ({ json }: LiveAnswer): string => String(pick(json, "id"));

/** A stored interaction that waits for the result of a call. */
async function pending(ask: Ask): Promise<string> {
  const forced = { generation_config: { tool_choice: "any" } };
  return idOf(await ask(create({ input: "What time is it?", store: true, ...TOOLS, ...forced })));
}

async function chained(ask: Ask, input: unknown): Promise<LiveRequest> {
  return create({ input, store: true, previous_interaction_id: await pending(ask), ...TOOLS });
}

const result = (callId: string): object => ({
  type: "function_result",
  call_id: callId,
  name: "clock",
  result: [{ type: "text", text: "12:00" }],
});

/** Unobserved behavior of the Interactions API. Costs a few short answers, and no research. */
export const INTERACTION_QUESTIONS: readonly Question[] = [
  taken(
    "interaction-open-calls",
    "May a call of an interaction stay unanswered?",
    ["I-30"],
    (ask) => chained(ask, "Never mind."),
    FILE,
  ),
  taken(
    "interaction-no-call",
    "Is a result without a call taken?",
    ["I-31"],
    (ask) => chained(ask, [result("call_0")]),
    FILE,
  ),
  taken(
    "interaction-no-predecessor",
    "Is an unknown predecessor refused?",
    ["I-33"],
    create({ input: "Hello", store: true, previous_interaction_id: UNKNOWN_ID }),
    FILE,
  ),
  question(
    "interaction-cancel-over",
    "What does cancelling an interaction that is over answer?",
    ["I-36"],
    async (ask) =>
      refusalOf(await ask(at(`${idOf(await ask(create({ input: "Hello", store: true })))}/cancel`, "POST"))),
    FILE,
  ),
  question(
    "interaction-event-id",
    "Is an unknown last_event_id refused?",
    ["I-38"],
    async (ask) => {
      const id = idOf(await ask(create({ input: "Hello", store: true, background: true })));
      return refusalOf(await ask(at(`${id}?last_event_id=v1_OV90ZXh0Xzk&stream=true`)));
    },
    FILE,
  ),
  question(
    "interaction-stream-start",
    "With which event does a stream without last_event_id begin?",
    ["I-41"],
    async (ask) => {
      const id = idOf(await ask(create({ input: "Hello", store: true, background: true })));
      const { text } = await ask(at(`${id}?stream=true`));
      return { is: /"event_type": ?"([\w.]+)"/.exec(text)?.[1] ?? "none" };
    },
    FILE,
  ),
];
