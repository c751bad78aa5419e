// Search together with your own functions. On models that don't support both in one request, search becomes a function: same code, same sources.
import { connect } from "@pollux/cli";
import { Agent, defineTool, googleSearch } from "@pollux/core";
import { z } from "zod";

await using connection = await connect();

const addToCalendar = defineTool({
  name: "add_to_calendar",
  description: "Puts an event into the user's calendar.",
  input: z.object({ title: z.string(), date: z.string().describe("ISO date, such as 2027-07-03") }),
  run: ({ title, date }) => ({ added: true, title, date }),
});

for (const model of ["gemini-flash-latest", "gemini-2.5-flash-lite"]) {
  const agent = new Agent({ model, endpoint: connection.endpoint, tools: [addToCalendar, googleSearch()] });
  const result = await agent.run("Search for the next total solar eclipse and add it to my calendar.");
  console.log(
    `${model}: ${result.stopReason}, grounded by ${result.groundedBy} search, ${result.sources.length} sources`,
  );
  console.log(result.text);
}
