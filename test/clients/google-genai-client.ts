import { type CallableTool, GoogleGenAI } from "@google/genai";
import { z } from "zod";
import { type Ask, type Client, collect, DIMENSIONS, type Service } from "./client.ts";

/** Google's SDK on each of its three surfaces. */
export const GOOGLE_GENAI: readonly Client[] = [clientOf("v1"), clientOf("v1beta"), clientOf("Vertex")];

function clientOf(surface: Client["surface"]): Client {
  const isVertex = surface === "Vertex";
  const connect = ({ url, key }: Service): GoogleGenAI =>
    new GoogleGenAI({
      vertexai: isVertex,
      apiKey: key,
      httpOptions: { baseUrl: url, ...(isVertex ? {} : { apiVersion: surface }) },
    });
  const requestOf = ({ model }: Service, { prompt, system, maxOutputTokens, file, cachedContent }: Ask) => ({
    model,
    contents: [
      {
        role: "user",
        parts: [{ text: prompt }, ...(file ? [{ fileData: { fileUri: file.uri, mimeType: file.mimeType } }] : [])],
      },
    ],
    config: {
      ...(system !== undefined && { systemInstruction: system }),
      ...(maxOutputTokens !== undefined && { maxOutputTokens }),
      ...(cachedContent !== undefined && { cachedContent }),
    },
  });
  return {
    name: "@google/genai",
    surface,
    async text(at, ask) {
      const { text = "", usageMetadata } = await connect(at).models.generateContent(requestOf(at, ask));
      return {
        text,
        inputTokens: usageMetadata?.promptTokenCount,
        cachedTokens: usageMetadata?.cachedContentTokenCount,
      };
    },
    async stream(at, ask) {
      const chunks = await connect(at).models.generateContentStream(requestOf(at, ask));
      return collect(chunks, ({ text }) => text ?? "");
    },
    async functions(at, prompt, tools) {
      const callable: CallableTool = {
        tool: async () => ({
          functionDeclarations: tools.map((tool) => ({
            name: tool.name,
            description: tool.description,
            parametersJsonSchema: z.toJSONSchema(tool.schema),
          })),
        }),
        callTool: async (calls) =>
          calls.map(({ id = "", name = "", args = {} }) => ({
            functionResponse: { id, name, response: { output: tools.find((tool) => tool.name === name)?.run(args) } },
          })),
      };
      const request = { model: at.model, contents: prompt, config: { tools: [callable] } };
      return (await connect(at).models.generateContent(request)).text ?? "";
    },
    async output(at, prompt, schema) {
      const config = { responseMimeType: "application/json", responseJsonSchema: z.toJSONSchema(schema) };
      const { text = "" } = await connect(at).models.generateContent({ model: at.model, contents: prompt, config });
      return JSON.parse(text);
    },
    async embeddings(at, texts) {
      const config = { outputDimensionality: DIMENSIONS };
      // Vertex takes one text per request: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
      const lists = isVertex ? texts.map((text) => [text]) : [[...texts]];
      const answers = lists.map((contents) =>
        connect(at).models.embedContent({ model: "gemini-embedding-001", contents, config }),
      );
      return (await Promise.all(answers)).flatMap(({ embeddings = [] }) => embeddings.map(({ values = [] }) => values));
    },
    async tokens(at, prompt) {
      return (await connect(at).models.countTokens({ model: at.model, contents: prompt })).totalTokens ?? 0;
    },
    files: isVertex
      ? { no: "refuses them on Vertex" }
      : { upload: async (at, file) => (await connect(at).files.upload({ file })).uri ?? "" },
    caches: {
      create: async (at, contents) =>
        (await connect(at).caches.create({ model: at.model, config: { contents } })).name ?? "",
    },
  };
}
