// Google Maps: places near a location.
import { connect } from "@pollux/cli";
import { Agent, googleMaps } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  tools: [googleMaps()],
  settings: { location: { latitude: 59.9139, longitude: 10.7522, languageCode: "en" } },
});

const result = await agent.run("Where can I get a good coffee near here?");
console.log(result.text);
for (const source of result.sources)
  console.log(`[${source.number}] ${source.kind}: ${source.title} ${source.uri ?? ""}`);
