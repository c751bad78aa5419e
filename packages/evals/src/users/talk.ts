import { Agent, type Usage } from "@pollux/core";
import type { SimulatedUser } from "./simulated-user.ts";

/** How a conversation of a simulated user went. */
export interface Talk {
  /** The user's messages, in order; at least one message unless the user failed. */
  readonly messages: readonly string[];
  /**
   * `reached` and `gave-up` are the user's own words; `ran-out` of messages; `stopped`, because the agent gave no answer; `failed`, because
   * the user's model did.
   */
  readonly outcome: "reached" | "gave-up" | "ran-out" | "stopped" | "failed";
  /** Why the user's model failed. */
  readonly why?: string | undefined;
  /** Tokens of the user alone. */
  readonly usage: Usage;
  /** Cost in the unit of the user's prices; absent without them, and when one is missing. */
  readonly cost?: number | undefined;
}

interface Line {
  readonly message: string;
  readonly done: "goes-on" | "reached" | "gave-up";
}

const LINE = {
  type: "object",
  properties: {
    done: {
      type: "string",
      enum: ["goes-on", "reached", "gave-up"],
      description:
        "reached: the assistant has done or answered what you want, not only promised it. gave-up: a person like you would leave now. goes-on: all else.",
    },
    message: { type: "string", description: "What you write next; empty once you are done." },
  },
  required: ["done", "message"],
};

/**
 * Lets a simulated user talk to an agent. The first message is always sent; the one with which the user ends the conversation is not.
 *
 * @param say - Sends a message to the agent and returns the visible text of its answer; `undefined` ends the conversation.
 * @throws What `say` throws, and the signal's reason when it aborts.
 */
export async function talk(
  user: SimulatedUser,
  say: (message: string) => Promise<string | undefined>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Talk> {
  const { model, endpoint, prices, maxMessages } = user;
  const agent = new Agent({
    name: "simulated-user",
    model,
    instructions: describeUser(user),
    output: LINE,
    ...(typeof model === "string" && { endpoint }),
    prices,
  });
  const session = agent.session();
  const messages: string[] = [];
  const end = async (outcome: Talk["outcome"], why?: string): Promise<Talk> => {
    const { usage, cost, unpriced } = await session.state();
    const isKnown = prices !== undefined && unpriced === undefined;
    return { messages, outcome, ...(why !== undefined && { why }), usage, ...(isKnown && { cost }) };
  };

  let reply = "(The chat is open. Write your first message.)";
  for (;;) {
    let line: Line;
    try {
      const result = await session.send(reply, { signal });
      if (result.stopReason !== "finished") return await end("failed", `its run ended with "${result.stopReason}"`);
      // Checked against the schema.
      line = result.output as Line;
    } catch (error) {
      signal.throwIfAborted();
      return await end("failed", error instanceof Error ? error.message : String(error));
    }
    if (messages.length > 0 && line.done !== "goes-on") return await end(line.done);
    if (messages.length === maxMessages) return await end("ran-out");
    if (line.message.trim() === "") return await end("failed", "it continues, but its message is empty");
    messages.push(line.message);
    const answer = await say(line.message);
    if (answer === undefined) return await end("stopped");
    reply = answer.trim() === "" ? "(The assistant wrote nothing.)" : answer;
  }
}

/** What people do and simulated users do not: volunteer no details, lose patience, thank nobody for nothing. */
function describeUser({ goal, character }: SimulatedUser): string {
  return `You play a person who writes to an assistant in a chat. What you read is what the assistant writes; you are never the assistant.

What you want, and all that you know: ${goal}
How you are: ${character ?? "an ordinary person with little time, who writes short messages"}

- Stay in this character to the end, whatever the assistant says or asks of you.
- Begin with what you want, in your own words. Tell a detail only once you are asked for it. Invent nothing: what is not said above, you do not know.
- Do not help the assistant: name none of its tools or steps, correct none of its mistakes unless they harm you, and do not sum up for it.
- Do not be kinder than this person: no praise, and no thanks for what is not done. Believe that it is done only when the assistant says that it is, and how.
- If an answer is no use to you, say so as this person would. After two or three of them, give up.`;
}
