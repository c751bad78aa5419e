import {
  AgentTool,
  FunctionTool,
  GOOGLE_SEARCH,
  InMemoryRunner,
  LlmAgent,
  LogLevel,
  setLogLevel,
  StreamingMode,
} from "@google/adk";
import { z } from "zod";

setLogLevel(LogLevel.ERROR);
Object.assign(process.env, { GEMINI_API_KEY: "x", GOOGLE_API_KEY: "x", GOOGLE_GENAI_API_KEY: "x" });

/** What is off by default and changes the outcome of a case; `tuned` switches it on. */
export const settings = {
  unavailable: "`httpOptions.retryOptions`",
  "retry-info": "`httpOptions.retryOptions`",
  "search-3": "an `AgentTool` that searches",
  "search-2": "an `AgentTool` that searches",
};

export async function run({ base, model, weather, search, tuned }) {
  process.env.GOOGLE_GEMINI_BASE_URL = base;
  const parameters = z.object({ city: z.string() });
  const tool = new FunctionTool({
    name: "weather",
    description: "Current weather in a city.",
    parameters,
    execute: weather,
  });
  const agent = new LlmAgent({
    name: "bench",
    model,
    instruction: "",
    tools: [tool, ...(search ? [tuned ? searchAgent(model) : GOOGLE_SEARCH] : [])],
    ...(tuned && { generateContentConfig: { httpOptions: { retryOptions: { attempts: 5 } } } }),
  });
  const runner = new InMemoryRunner({ agent, appName: "bench" });
  const session = await runner.sessionService.createSession({ appName: "bench", userId: "user" });
  const events = runner.runAsync({
    userId: "user",
    sessionId: session.id,
    newMessage: { role: "user", parts: [{ text: "go" }] },
    runConfig: { streamingMode: StreamingMode.SSE, maxLlmCalls: 300 },
  });
  const texts = [];
  let last;
  let found;
  for await (const event of events) {
    const { content, partial } = event;
    last = event;
    found = event.groundingMetadata ?? found;
    if (partial) continue;
    for (const { text, thought } of content?.parts ?? []) if (text && !thought) texts.push(text);
  }
  const details = () => ({
    ending: last?.errorCode ?? last?.finishReason,
    succeeded: last?.errorCode === undefined && last?.finishReason === "STOP",
    citations: found?.groundingSupports?.map(({ segment }) => ({
      start: segment.startIndex ?? 0,
      end: segment.endIndex,
    })),
    entryPoint: found?.searchEntryPoint?.renderedContent,
  });
  return { text: texts.join(""), details };
}

function searchAgent(model) {
  return new AgentTool({
    agent: new LlmAgent({ name: "search", model, description: "Searches the web.", tools: [GOOGLE_SEARCH] }),
  });
}
