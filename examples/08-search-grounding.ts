// Google Search, with sources and the exact ranges of text they support.
import { connect } from "@pollux/cli";
import { Agent, googleSearch, renderMarkdown } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint, tools: [googleSearch()] });

const result = await agent.run("Who won the last Tour de France?");
console.log(renderMarkdown(result));
for (const { start, end, sources } of result.citations)
  console.log(`"${result.text.slice(start, end)}" <- ${sources.join(", ")}`);
console.log(
  `searched for: ${result.searchQueries.join("; ")}; entry points to show: ${result.searchEntryPoints.length}`,
);
