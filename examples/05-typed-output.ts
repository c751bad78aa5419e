// JSON mode: with a schema the output is typed and checked; with "json" it is any JSON.
import { connect } from "@pollux/cli";
import { Agent, finished } from "@pollux/core";
import { z } from "zod";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint });

const recipe = z.object({
  title: z.string(),
  minutes: z.number().int().min(1).max(600),
  difficulty: z.enum(["easy", "medium", "hard"]),
  ingredients: z
    .array(z.object({ name: z.string(), grams: z.number() }))
    .min(1)
    .max(8),
});
const { output } = finished(await agent.run("A recipe for pancakes.", { output: recipe }));
console.log(
  `${output.title}: ${output.minutes} minutes, ${output.difficulty}, ${output.ingredients.length} ingredients`,
);

const free = finished(await agent.run("Three colors as a JSON list.", { output: "json" }));
console.log(JSON.stringify(free.output));
