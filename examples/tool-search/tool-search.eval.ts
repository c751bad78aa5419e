// Does a model search when it should, and call what it found? Run by `npx pollux eval`: live if a key is set; without one, a script speaks for
// the model, which shows that the suite works and nothing about a model.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";
import { called, defineEval, neverCalled } from "@pollux/evals";
import { companyBrain, companyTools } from "./company.ts";

const { endpoint, emulated } = await connect(process.env, { brain: companyBrain() });
// Nobody answers there: each call has a stand-in.
const tools = companyTools("http://127.0.0.1:9");

export default defineEval("tool-search", {
  agent: () => new Agent({ model: "gemini-3.8-flash", endpoint, tools, instructions: "You work in the back office." }),
  variants: [emulated ? "emulator" : "gemini"],
  standIn: Object.fromEntries(
    tools.flatMap(({ name, undeclared }) =>
      undeclared === true ? [[name, () => (name.endsWith("_count") ? { count: 42 } : { done: true })]] : [],
    ),
  ),
  approve: () => true,
  data: [
    {
      id: "count",
      input: "How many open invoices are there in Norway?",
      scorers: [called("search_tools"), called("invoices_count", { status: "open" }), neverCalled("invoices_list")],
    },
    { id: "cancel", input: "Cancel shipment 17.", scorers: [called("shipments_cancel", { id: "17" })] },
    { id: "hello", input: "Hello!", scorers: [neverCalled()] },
  ],
});
