// Five hundred operations of an API behind two declarations: found by a search, and approved under their own names.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";
import { companyBrain, companyTools, serveCompany } from "./tool-search/company.ts";

await using connection = await connect(process.env, { brain: companyBrain() });
await using company = await serveCompany();

const tools = companyTools(company.url);
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  instructions: "You work in the back office of a company.",
  tools,
  approve: ({ call }) => {
    console.log(`asked: ${call.name} ${JSON.stringify(call.args)}`);
    return true;
  },
});
const declared = tools.filter(({ undeclared }) => undeclared !== true);
console.log(`${declared.length} of ${tools.length} tools are declared`);

for (const message of ["How many open invoices are there in Norway?", "Cancel shipment 17."]) {
  const { text, toolCalls, usage } = await agent.run(message);
  for (const { name, status } of toolCalls) console.log(`${name}: ${status}`);
  console.log(`${text} (${usage.inputTokens} tokens)`);
}
