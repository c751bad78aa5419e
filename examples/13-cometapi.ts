// The same agent through CometAPI, with either header. Set COMETAPI_KEY to use it; without a key, an emulator imitates it.
import { Agent, cometapi } from "@pollux/core";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";

const emulated = process.env["COMETAPI_KEY"] === undefined;
await using server = emulated ? await createEmulator({ brain: improvise(), profile: "comet" }).listen() : undefined;

for (const auth of ["x-goog-api-key", "bearer"] as const) {
  const endpoint =
    server === undefined ? cometapi({ auth }) : cometapi({ auth, baseUrl: server.url, apiKey: "emulator" });
  const agent = new Agent({ model: "gemini-3.8-flash", endpoint });
  const result = await agent.run("Say hello in three languages.");
  console.log(`${auth}: ${result.text}`);
}
