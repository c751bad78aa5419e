// Decisions: a guardrail that stops insults, and an approval that asks a person only when it is not sure enough.
import { connect } from "@pollux/cli";
import { Agent, defineTool, type InputGuardrail } from "@pollux/core";
import { choice, decide, yesNo } from "@pollux/core/decisions";
import { z } from "zod";

await using connection = await connect();
const { endpoint } = connection;

const polite: InputGuardrail = {
  name: "polite",
  check: async (run) => {
    const questions = {
      insult: yesNo("Does the message insult somebody?", { yes: "calls somebody stupid or an idiot" }),
      team: choice("Who handles it?", { billing: "refunds, invoices, charges", support: "everything else" }),
    };
    // Dollars per 1,000,000 tokens: look them up, they change.
    const decision = await decide(run.contents, questions, { endpoint, run, prices: { input: 0.1, output: 0 } });
    // The service refuses the input as a whole.
    if (decision.status === "blocked") return { stop: `blocked: ${decision.blockReason}` };
    const { insult, team } = decision.answers;
    console.log(`${team.choice} (${team.confidence.toFixed(2)}), for ${decision.cost?.toFixed(6)}`);
    return insult.yes && insult.confidence >= 0.8 ? { stop: "an insult" } : undefined;
  },
};

const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  input: z.object({ order: z.int(), reason: z.string() }),
  effects: "once",
  needsApproval: async ({ reason }, _call, run) => {
    const ours = yesNo("Is the shop to blame?", { yes: "arrived broken, late or wrong", no: "changed their mind" });
    const decision = await decide(reason, { ours }, { endpoint, run });
    if (decision.status === "blocked") return true;
    const { yes, confidence } = decision.answers.ours;
    console.log(`the shop is to blame: ${yes} (${confidence.toFixed(2)})`);
    return !yes || confidence < 0.9;
  },
  run: ({ order }) => ({ order, refunded: true }),
});

const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint,
  tools: [refund],
  guardrails: { input: [polite] },
});

for (const message of [
  "You stupid idiot, somebody should insult you!",
  'Refund order 17, reason "It arrived late, broken and wrong".',
  'Refund order 18, reason "I have changed my mind".',
]) {
  const result = await agent.run(message);
  console.log(`${result.stopReason}: ${"guardrail" in result ? result.guardrail.reason : result.text}\n`);
}
