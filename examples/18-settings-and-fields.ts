// The settings of a request and the fields of its response, through CometAPI. Without COMETAPI_KEY, an emulator imitates it.
import { Agent, cometapi, gemini } from "@pollux/core";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";

const emulated = process.env["COMETAPI_KEY"] === undefined;
await using server = emulated ? await createEmulator({ brain: improvise(), profile: "comet" }).listen() : undefined;
const endpoint = cometapi(server === undefined ? {} : { baseUrl: server.url, apiKey: "emulator" });

const agent = new Agent({
  model: gemini("gemini-2.5-flash", { endpoint }),
  settings: {
    thinking: { budget: 1024 },
    temperature: 0.4,
    topP: 0.9,
    topK: 40,
    maxOutputTokens: 4096,
    stopSequences: ["THE END"],
    seed: 0,
    mediaResolution: "MEDIA_RESOLUTION_LOW",
    safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_ONLY_HIGH" }],
  },
});

const result = await agent.run("Tell me about lighthouses.");
console.log(result.text);
if (result.stopReason === "blocked") console.log("withheld:", result.finishReason, result.safetyRatings);
for (const { uri, license } of result.citationSources) console.log("quotes", uri, license);

if (result.response !== undefined) {
  const { candidate, envelope, finishReason } = result.response;
  console.log("finish reason:", finishReason);
  console.log("model version:", envelope.modelVersion);
  console.log("response id:", envelope.responseId);
  console.log("created:", envelope.createTime);
  console.log("traffic type:", envelope.usageMetadata?.trafficType);
  console.log("mean log probability:", candidate.avgLogprobs);
  console.log("prompt tokens by modality:", envelope.usageMetadata?.promptTokensDetails);
}
const { inputTokens, cachedTokens, outputTokens, thoughtTokens, toolUseTokens, totalTokens } = result.usage;
console.log("usage:", { inputTokens, cachedTokens, outputTokens, thoughtTokens, toolUseTokens, totalTokens });
