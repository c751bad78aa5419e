import { Agent } from "@earendil-works/pi-agent-core";
import { createModels } from "@earendil-works/pi-ai";
import { googleProvider } from "@earendil-works/pi-ai/providers/google";
import { obj, str } from "@earendil-works/pi-schema";

process.env.GEMINI_API_KEY = "x";
const models = createModels();
models.setProvider(googleProvider());

export async function run({ base, model, weather }) {
  const known = models.getModel("google", model) ?? models.getModel("google", "gemini-2.5-flash");
  const tool = {
    name: "weather",
    label: "weather",
    description: "Current weather in a city.",
    parameters: obj({ city: str() }),
    async execute(_id, input) {
      return { content: [{ type: "text", text: JSON.stringify(await weather(input)) }], details: {} };
    },
  };
  const agent = new Agent({
    initialState: { systemPrompt: "", model: { ...known, id: model, baseUrl: `${base}/v1beta` }, tools: [tool] },
    streamFn: (...request) => models.streamSimple(...request),
    getApiKey: () => "x",
  });
  await agent.prompt("go");
  const parts = agent.state.messages.at(-1)?.content ?? [];
  return { text: parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("") };
}
