import { pathToFileURL } from "node:url";
import { programFile } from "../support/programs.ts";
import { type Ask, type Client, collect, DIMENSIONS, type Service, type Tool } from "./client.ts";

/** The parts of LangChain that the adapters use. It is installed outside of the workspace, so the compiler can't see it. */
interface Message {
  readonly text: string;
  readonly usage_metadata?: {
    readonly input_tokens: number;
    readonly input_token_details?: { readonly cache_read?: number };
  };
}
interface ChatModel {
  invoke(messages: readonly object[]): Promise<Message>;
  stream(messages: readonly object[]): Promise<AsyncIterable<Message>>;
  withStructuredOutput(schema: unknown): { invoke(prompt: string): Promise<unknown> };
  useCachedContent(content: object): void;
}
interface Fields {
  readonly [name: string]: unknown;
}

const [genai, google, langchain, { tool: defineTool }] = (await Promise.all([
  load("@langchain/google-genai", "dist/index.js"),
  load("@langchain/google", "dist/index.js"),
  load("langchain", "dist/index.js"),
  load("@langchain/core", "dist/tools/index.js"),
])) as unknown as [
  {
    readonly ChatGoogleGenerativeAI: new (fields: Fields) => ChatModel;
    readonly GoogleGenerativeAIEmbeddings: new (fields: Fields) => {
      embedDocuments(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
    };
  },
  { readonly ChatGoogle: new (fields: Fields) => ChatModel },
  {
    createAgent(options: { readonly model: ChatModel; readonly tools: readonly object[] }): {
      invoke(input: { readonly messages: readonly object[] }): Promise<{ readonly messages: readonly Message[] }>;
    };
  },
  { readonly tool: (run: Tool["run"], fields: Fields) => object },
];

/** LangChain's two packages for the Gemini API: the one on Google's older SDK, and its replacement. */
export const LANGCHAIN: readonly Client[] = [
  {
    ...clientOf("@langchain/google-genai", ({ url, key, model }, fields) => {
      return new genai.ChatGoogleGenerativeAI({ model, apiKey: key, baseUrl: url, maxRetries: 0, ...fields });
    }),
    embeddings: ({ url, key }, texts) =>
      new genai.GoogleGenerativeAIEmbeddings({
        model: "gemini-embedding-001",
        apiKey: key,
        baseUrl: url,
        outputDimensionality: DIMENSIONS,
      }).embedDocuments(texts),
    caches: {},
    // It sends each response to parallel calls in its own content. Its sibling had the same bug, which was fixed.
    oneCallATurn: "https://github.com/langchain-ai/langchainjs/issues/10342",
  },
  {
    ...clientOf("@langchain/google", ({ url, key, model }, fields) => {
      return new google.ChatGoogle({ model, apiKey: key, endpoint: url, maxRetries: 0, ...fields });
    }),
    embeddings: { no: "has only the chat model", among: () => Object.keys(google), like: /embed/i },
    caches: {
      no: "has no setting for them",
      among: () => methodsOf(google.ChatGoogle.prototype),
      like: /cachedContent/i,
    },
  },
];

function clientOf(
  name: string,
  connect: (at: Service, fields?: Fields) => ChatModel,
): Omit<Client, "embeddings" | "caches"> {
  const asking = (at: Service, { maxOutputTokens, cachedContent }: Ask): ChatModel => {
    const model = connect(at, { maxOutputTokens });
    if (cachedContent !== undefined) model.useCachedContent({ name: cachedContent, model: at.model });
    return model;
  };
  return {
    name,
    surface: "v1beta",
    async text(at, ask) {
      const { text, usage_metadata: usage } = await asking(at, ask).invoke(messagesOf(ask));
      return { text, inputTokens: usage?.input_tokens, cachedTokens: usage?.input_token_details?.cache_read };
    },
    stream: async (at, ask) => collect(await asking(at, ask).stream(messagesOf(ask)), ({ text }) => text),
    async functions(at, prompt, tools) {
      const defined = tools.map(({ run, ...fields }) => defineTool(run, fields));
      const agent = langchain.createAgent({ model: connect(at), tools: defined });
      return (await agent.invoke({ messages: messagesOf({ prompt }) })).messages.at(-1)?.text ?? "";
    },
    output: (at, prompt, schema) => connect(at).withStructuredOutput(schema).invoke(prompt),
    tokens: {
      no: "estimates them itself",
      among: () => methodsOf(connect({ url: "http://127.0.0.1", key: "none", model: "none" })),
      like: /countTokens/i,
    },
    files: {},
  };
}

function messagesOf({ prompt, system, file }: Ask): readonly object[] {
  const content = [
    { type: "text", text: prompt },
    ...(file ? [{ type: "file", source_type: "url", url: file.uri, mime_type: file.mimeType }] : []),
  ];
  return [...(system === undefined ? [] : [{ role: "system", content: system }]), { role: "user", content }];
}

function methodsOf(instance: object): readonly string[] {
  const above: object | null = Object.getPrototypeOf(instance);
  return [...Object.getOwnPropertyNames(instance), ...(above === null ? [] : methodsOf(above))];
}

function load(name: string, path: string): Promise<unknown> {
  return import(pathToFileURL(programFile(name, path)).href);
}
