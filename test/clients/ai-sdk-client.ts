import { createGoogle, type GoogleProvider } from "@ai-sdk/google";
import { embedMany, generateText, isStepCount, Output, streamText, tool as defineTool, uploadFile } from "ai";
import { type Ask, type Client, collect, DIMENSIONS, type Service } from "./client.ts";

/** The AI SDK with Google's provider. */
export const AI_SDK: Client = {
  name: "@ai-sdk/google",
  surface: "v1beta",
  async text(at, ask) {
    const { text, usage } = await generateText(promptOf(at, ask));
    return { text, inputTokens: usage.inputTokens, cachedTokens: usage.inputTokenDetails.cacheReadTokens };
  },
  stream: (at, ask) => collect(streamText(promptOf(at, ask)).textStream, (text) => text),
  async functions(at, prompt, tools) {
    const { text } = await generateText({
      model: connect(at)(at.model),
      prompt,
      stopWhen: isStepCount(5),
      tools: Object.fromEntries(
        tools.map(({ name, description, schema, run }) => [
          name,
          defineTool({ description, inputSchema: schema, execute: (args: Record<string, unknown>) => run(args) }),
        ]),
      ),
    });
    return text;
  },
  async output(at, prompt, schema) {
    return (await generateText({ model: connect(at)(at.model), prompt, output: Output.object({ schema }) })).output;
  },
  async embeddings(at, texts) {
    const providerOptions = { google: { outputDimensionality: DIMENSIONS } };
    const model = connect(at).embedding("gemini-embedding-001");
    return (await embedMany({ model, values: [...texts], providerOptions })).embeddings;
  },
  tokens: { no: "only counts what it used", among: () => Object.keys(createGoogle()), like: /token/i },
  files: {
    async upload(at, file) {
      const data = new Uint8Array(await file.arrayBuffer());
      const { providerReference } = await uploadFile({ api: connect(at), data, mediaType: file.type });
      return providerReference["google"] ?? "";
    },
  },
  caches: {},
};

function connect({ url, key }: Service): GoogleProvider {
  return createGoogle({ baseURL: `${url}/v1beta`, apiKey: key });
}

function promptOf(at: Service, { prompt, system, maxOutputTokens, file, cachedContent }: Ask) {
  const content = [
    { type: "text" as const, text: prompt },
    ...(file ? [{ type: "file" as const, data: { google: file.uri }, mediaType: file.mimeType }] : []),
  ];
  return {
    model: connect(at)(at.model),
    messages: [{ role: "user" as const, content }],
    maxRetries: 0,
    ...(system !== undefined && { instructions: system }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(cachedContent !== undefined && { providerOptions: { google: { cachedContent } } }),
  };
}
