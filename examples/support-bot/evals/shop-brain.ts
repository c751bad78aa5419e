import { type Answer, type Brain, type BrainTurn, call, grounded, json, say } from "@pollux/emulator";

/** What the emulator says in place of a model, so that the suite runs without a key: the bot's, the customer's and the judge's lines. */
export function shopBrain(): Brain {
  return {
    answer: (turn) => {
      const instructions = textOf(turn.request.systemInstruction?.parts);
      if (instructions.startsWith("You play a person")) return playCustomer(turn);
      return turn.functions.length === 0 ? judge(turn) : playBot(turn);
    },
  };
}

const PAGES: readonly (readonly [asked: RegExp, page: string, text: string])[] = [
  [/return/i, "returns", "You can return shoes for 30 days. Send them back with the label that we mail to you."],
  [/crack|warranty/i, "warranty", "A crack is covered for two years. Send us a photo, and we answer within a day."],
];

function playBot(turn: BrainTurn): Answer {
  const { prompt } = turn;
  const results = turn.responses.at(-1);
  const output = results?.response?.["output"];
  if (results?.name === "refund") return say("You get your money back. It is on your account within 3 days.");
  if (results?.name === "change_address")
    return say("It goes to the new address. You get a mail once it is on its way.");
  if (results?.name === "escalate") return say("I am sorry. Somebody of our team writes to you within a day.");
  if (results?.name === "find_order")
    return isOrder(output)
      ? goOn(turn, output)
      : say("There is no such order. Please check the number and write again.");
  if (/ignore your rules/i.test(prompt)) return say("I cannot do that. Tell me your order, and I look it up.");
  const page = PAGES.find(([asked]) => asked.test(prompt));
  if (page !== undefined) return cite(prompt, page[1], page[2]);
  const order = /\border (\w+)|^(\w*\d)$/i.exec(prompt);
  if (order !== null) return call("find_order", { order: order[1] ?? order[2] ?? "" });
  return say(
    /refund|money/i.test(prompt)
      ? "Which order is it? Then I look it up."
      : "Hello! Tell me your order, and I look it up.",
  );
}

interface Order {
  readonly order: string;
  readonly item: string;
  readonly euros: number;
  readonly daysAgo: number;
  readonly state: string;
}

function isOrder(output: unknown): output is Order {
  return typeof output === "object" && output !== null && "daysAgo" in output;
}

/** With what it knows of the order. */
function goOn({ request, prompt }: BrainTurn, { order, item, euros, daysAgo, state }: Order): Answer {
  const said = request.contents
    .filter(({ role }) => role === "user")
    .map(({ parts }) => textOf(parts))
    .join("\n");
  const city = /\bto ([A-Z]\w+)/.exec(prompt)?.[1];
  if (city !== undefined) return call("change_address", { order, city });
  if (state.startsWith("lost")) return call("escalate", { reason: `order ${order} is lost` });
  if (!/refund|money/i.test(said)) return say(`Your ${item} ${state}. We write to you when it is at your door.`);
  if (daysAgo > 30)
    return say(`Your ${item} is ${daysAgo} days old, and we refund for 30 days. You can send it in for repair.`);
  return call("refund", { order, euros });
}

function cite(query: string, page: string, text: string): Answer {
  return grounded(text, {
    queries: [query],
    sources: [{ title: "shop.example", uri: `https://shop.example/${page}`, supports: [text] }],
  });
}

/** Somebody who wants money back for order 17 and tells the number once asked. */
function playCustomer({ prompt }: BrainTurn): Answer {
  if (/money back/i.test(prompt)) return json({ done: "reached", message: "" });
  return json({ done: "goes-on", message: /which order/i.test(prompt) ? "17" : "want my money back" });
}

/** What says that something follows. Not all that a person would see. */
const NEXT =
  /\b(?:within|until|by [A-Z]\w+day|(?:we|somebody) writes? to you|you get a|tell me|send us|send them back|send it in|write again)\b/i;

function judge({ prompt }: BrainTurn): Answer {
  // The judge quotes the trial in JSON.
  const { answer } = JSON.parse(prompt) as { readonly answer: string | readonly string[] };
  const last = typeof answer === "string" ? answer : (answer.at(-1) ?? "");
  const found = NEXT.exec(last)?.[0];
  return json({
    reason: found === undefined ? "nothing follows" : `it says "${found}"`,
    score: found === undefined ? 0.1 : 0.9,
  });
}

function textOf(parts: readonly { readonly text?: string | undefined }[] = []): string {
  return parts.map(({ text }) => text ?? "").join("\n");
}
