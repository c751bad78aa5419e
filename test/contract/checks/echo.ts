import { Agent, type Content, gemini } from "@pollux/core";
import { type Check, difference } from "../check.ts";
import { joinText, type PlainAnswer, readAnswer, whyUnusable } from "../plain-fold.ts";
import { modelOptions, recordedFetch, type Served, servedOver, type Transport, TRANSPORTS } from "../recorded-fetch.ts";
import { type Exchange, isJson, type Json, modelOf, type Recording } from "../recordings.ts";

/** The next request must contain the answer unchanged. */
export const echo: Check = {
  id: "echo",
  claim: "each answer goes back in the next request as it came: same parts, same keys, same order",
  compares: "the model's content in the next request, over both transports",
  against: "the parts of the answer, with the order of their keys",
  async run(recording, tally): Promise<void> {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const read = readAnswer(exchange);
      const without = "without" in read ? read.without : whyUnusable(read.answer);
      if ("without" in read || without !== undefined) {
        tally.skip(without ?? "");
        continue;
      }
      for (const transport of TRANSPORTS) {
        tally.measure("requests", 1);
        const served = servedOver(transport, exchange, read.chunks);
        const verdict = await compareEcho(recording, exchange, read.answer, served, transport);
        tally.compare(recording.file, index, verdict && `${transport}: ${verdict}`);
      }
    }
  },
};

const LATER: Served = {
  status: 200,
  headers: new Headers(),
  body: JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text: "ok" }] }, finishReason: "STOP" }] }),
};

async function compareEcho(
  recording: Recording,
  exchange: Exchange,
  { parts, content }: PlainAnswer,
  served: Served,
  transport: Transport,
): Promise<string | undefined> {
  const { fetch, sent } = recordedFetch([served, LATER]);
  const agent = new Agent({
    model: gemini(modelOf(recording, exchange), modelOptions(recording, transport, fetch)),
    limits: { restarts: 0 },
  });
  try {
    const { contents } = await agent.run("hello");
    // The agent answered calls (with errors, since nothing is declared); after a text, the user sends a message.
    if (sent.length === 1)
      await agent.run([...contents, { role: "user", parts: [{ text: "go on" }] }] satisfies Content[]);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  const echoed = contentsIn(sent[1])[1];
  if (!isJson(echoed)) return "the next request does not hold the answer";
  const { role, parts: sentParts, ...rest } = echoed;
  return difference(
    { role, parts: joinText(sentParts as readonly Json[]), ...rest },
    { role: "model", parts, ...content },
  );
}

function contentsIn(body: string | undefined): readonly unknown[] {
  const { contents } = JSON.parse(body ?? "{}") as { readonly contents?: readonly unknown[] };
  return contents ?? [];
}
