import { Agent, gemini } from "@pollux/core";
import { type Check, difference, type Tally } from "../check.ts";
import { modelOptions, recordedFetch, type Served } from "../recorded-fetch.ts";
import { isAnswered, isJson, type Json, listOf, modelOf, type Recording } from "../recordings.ts";

/** Pollux must send a foreign conversation unchanged. */
export const history: Check = {
  id: "history",
  claim: "each conversation that the service took is sent on as it is, whichever client or provider it is from",
  compares: "the contents of a request that goes on from a recorded conversation",
  against: "the recorded contents, with the order of their keys",
  mayVanish: [
    {
      rule: "role added",
      why: "the service reads a content without a role as the user's, and it is sent with that word",
    },
    { rule: "older role", why: "Pollux asks for `user` in place of `function`, and the check says it so" },
    { rule: "response apart", why: "parts beside function responses follow in a content of their own" },
  ],
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const contents = listOf(exchange.request?.["contents"]).filter(isJson);
      if (!isAnswered(exchange) || !contents.some(({ role }) => role === "model")) continue;
      if (isTwoModelsInARow(contents)) tally.count("histories with model contents in a row");
      if (/"id":"(?!pyd_ai)(?:call|toolu|fc)[-_]/.test(JSON.stringify(contents)))
        tally.count("histories with ids of another provider");
      tally.measure("histories", 1);
      tally.compare(
        recording.file,
        index,
        await compareHistory(recording, modelOf(recording, exchange), contents, tally),
      );
    }
  },
};

const ANSWER: Served = {
  status: 200,
  headers: new Headers(),
  body: '{"candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP"}]}',
};

async function compareHistory(
  recording: Recording,
  id: string,
  contents: readonly Json[],
  tally: Tally,
): Promise<string | undefined> {
  const { fetch, sent } = recordedFetch([ANSWER]);
  const model = gemini(id, modelOptions(recording, "unary", fetch));
  const given = contents.map((content) => withRole(content, tally));
  try {
    await new Agent({ model, limits: { restarts: 0 } }).run(given);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  const body = JSON.parse(sent[0] ?? "{}") as Json;
  return difference(
    body["contents"],
    given.flatMap((content) => splitResponses(content, tally)),
  );
}

function withRole(content: Json, tally: Tally): Json {
  const { role } = content;
  if (role !== undefined && role !== "function") return content;
  tally.vanish(role === undefined ? "role added" : "older role", 1);
  return { ...content, role: "user" };
}

function splitResponses(content: Json, tally: Tally): readonly Json[] {
  const parts = listOf(content["parts"]).filter(isJson);
  const responses = parts.filter((part) => "functionResponse" in part || "function_response" in part);
  if (content["role"] === "model" || responses.length === 0 || responses.length === parts.length) return [content];
  tally.vanish("response apart", 1);
  const others = parts.filter((part) => !responses.includes(part));
  return [
    { ...content, parts: responses },
    { ...content, parts: others },
  ];
}

function isTwoModelsInARow(contents: readonly Json[]): boolean {
  return contents.some(({ role }, index) => role === "model" && contents[index + 1]?.["role"] === "model");
}
