// A local file, uploaded once and used in two questions. CometAPI and Vertex AI have no Files API.
import { connect } from "@pollux/cli";
import { Agent, media } from "@pollux/core";
import { files } from "@pollux/core/resources";
import { fileFromPath } from "@pollux/core/node";

await using connection = await connect();
const { endpoint } = connection;
const store = files({ endpoint });

const file = await store.upload(
  await fileFromPath(new URL("15-files.ts", import.meta.url), { mimeType: "text/plain" }),
  {
    onProgress: ({ uploadedBytes, totalBytes }) => console.log(`${uploadedBytes} of ${totalBytes} bytes`),
  },
);
console.log(`${file.name} is ${file.state} until ${file.expirationTime}`);

const agent = new Agent({ model: "gemini-flash-latest", endpoint });
for (const question of ["What does this program do?", "Which lines would you change?"]) {
  const { text } = await agent.run([media(file), question]);
  console.log(text);
}

await store.delete(file);
console.log("deleted");
