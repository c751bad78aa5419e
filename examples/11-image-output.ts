// A model that generates images.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({
  model: "gemini-3.1-flash-image",
  endpoint: connection.endpoint,
  settings: { responseModalities: ["TEXT", "IMAGE"], imageConfig: { aspectRatio: "1:1" } },
});

const result = await agent.run("Draw a lighthouse at dusk.");
for (const { mimeType, bytes } of result.images) console.log(`an image of type ${mimeType}, ${bytes.length} bytes`);
console.log(result.text);
