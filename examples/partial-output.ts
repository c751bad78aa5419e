// Typed output while it is written: the value so far for a page that fills in, and elements of a list one by one.
import { connect } from "@pollux/cli";
import { Agent, finished, outputElements, partialOutputs } from "@pollux/core";
import { z } from "zod";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint });

const recipe = z.object({
  title: z.string(),
  steps: z
    .array(z.object({ instruction: z.string(), minutes: z.number().int().min(1).max(60) }))
    .min(3)
    .max(5),
});

let updates = 0;
const stream = agent.stream("A recipe for pancakes.", { output: recipe });
for await (const partial of partialOutputs(stream)) {
  updates++;
  // A page would render this: members may be missing, and a text may be cut off.
  const { title = "…", steps = [] } = partial ?? {};
  console.log(`${title}: ${steps.length} steps so far`);
}
const { output } = finished(await stream.result());
console.log(`${output.title}: ${output.steps.length} steps, in ${updates} updates`);

const second = agent.stream("A recipe for waffles.", { output: recipe });
for await (const { element, index } of outputElements(second, "steps"))
  console.log(`${index + 1}. ${element.instruction} (${element.minutes} min)`);
console.log(`${finished(await second.result()).output.steps.length} steps in all`);
