// A model that draws.
import { Agent } from "@pollux/core";
import { connect } from "./support/connect.ts";

await using connection = await connect();
const agent = new Agent({
  model: "gemini-3.1-flash-image",
  endpoint: connection.endpoint,
  responseModalities: ["TEXT", "IMAGE"],
  imageConfig: { aspectRatio: "1:1" },
});

const result = await agent.run("Draw a lighthouse at dusk.");
const images =
  result.response?.content.parts.flatMap((part) => (part.inlineData === undefined ? [] : [part.inlineData])) ?? [];
for (const { mimeType, data } of images)
  console.log(`an image of type ${mimeType}, ${Buffer.from(data, "base64").length} bytes`);
console.log(result.text);
