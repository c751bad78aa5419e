/** Uses core like an application, on any runtime, against the service of service.ts. */
import {
  Agent,
  AgentError,
  defineTool,
  endpoint,
  type FetchLike,
  finished,
  gemini,
  googleSearch,
  media,
  MemoryStore,
  renderMarkdown,
} from "@pollux/core";
import { files } from "@pollux/core/resources";
import { describeError } from "@pollux/core/durable";
import { GeminiClient } from "@pollux/core/wire";
import { zod3 } from "@pollux/core/zod3";
import { z } from "zod";
import * as z3 from "zod/v3";

/** The result: the same everywhere. */
export type CoreReport = Readonly<Record<string, unknown>>;

/**
 * @param baseUrl - Address of the emulator.
 * @param fetch - Replaces the runtime's own.
 */
export async function useCore(baseUrl: string, fetch?: FetchLike): Promise<CoreReport> {
  const service = (apiKey: string): ReturnType<typeof gemini> =>
    gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl, apiKey }),
      fetch,
      retry: { minDelayMs: 1, maxDelayMs: 2 },
    });
  const model = service("emulator");
  return {
    tools: await callsInParallel(),
    stream: await streams(),
    session: await goesOn(),
    grounding: await cites(),
    output: finished(
      await new Agent({ model }).run("Plan two days in Rome.", { output: z.object({ days: z.array(z.string()) }) }),
    ).output,
    retried: await retries(),
    file: await uploads(),
    refused: await problemOf(() => new Agent({ model: service("bad-key") }).run("Hello")),
    aborted: await aborts(),
    otherDoors: {
      wire: typeof (await new GeminiClient({
        endpoint: endpoint({ baseUrl, apiKey: "emulator" }),
        fetch,
      }).listModels()),
      durable: describeError(new TypeError("Broken.")).message,
      zod3: defineTool({
        name: "half",
        description: "Half of it.",
        input: zod3(z3.object({ n: z3.number() })),
        run: ({ n }) => n / 2,
      }).declaration,
    },
  };

  async function callsInParallel(): Promise<object> {
    // Neither ends before both have started.
    let begun = 0;
    let bothBegan = (): void => {};
    const both = new Promise<void>((resolve) => (bothBegan = resolve));
    const getWeather = defineTool({
      name: "get_weather",
      description: "Current weather in a city.",
      input: z.object({ city: z.string() }),
      run: async ({ city }) => {
        if (++begun === 2) bothBegan();
        await both;
        return { city, celsius: city.length };
      },
    });
    const { stopReason, text, turns } = await new Agent({ model, tools: [getWeather] }).run("Compare Oslo and Lima.");
    return { stopReason, text, turns };
  }

  async function streams(): Promise<object> {
    const types: string[] = [];
    let said = "";
    for await (const event of new Agent({ model }).stream("Count to three.")) {
      // The network cuts deltas anywhere.
      if (types.at(-1) !== event.type) types.push(event.type);
      if (event.type === "text-delta") said += event.delta;
    }
    return { types, said };
  }

  async function goesOn(): Promise<object> {
    const session = new Agent({ model }).session({ id: "ada", store: new MemoryStore() });
    const texts = [await session.send("My name is Ada."), await session.send("What is my name?")].map(
      ({ text }) => text,
    );
    return { texts, history: (await session.history()).map(({ role }) => role) };
  }

  async function cites(): Promise<object> {
    const result = await new Agent({ model, tools: [googleSearch()] }).run("Does it rain in Tromsø?");
    return {
      sources: result.sources.map(({ number, title }) => `${number} ${title}`),
      cited: result.citations.map(({ start, end, sources }) => [result.text.slice(start, end), sources]),
      markdown: renderMarkdown(result).split("\n")[0],
    };
  }

  async function retries(): Promise<object> {
    const notices: string[] = [];
    const run = new Agent({ model }).stream("Are you busy?");
    for await (const event of run) if (event.type === "notice") notices.push(event.notice.type);
    return { notices, text: (await run.result()).text };
  }

  async function uploads(): Promise<string> {
    const file = await files({ endpoint: endpoint({ baseUrl, apiKey: "emulator" }), fetch }).upload(
      new Blob(["Hello, file."], { type: "text/plain" }),
    );
    return (await new Agent({ model }).run([media(file), { text: "What does the file say?" }])).text;
  }

  async function aborts(): Promise<object> {
    const controller = new AbortController();
    const reason = new Error("Enough.");
    let said = "";
    try {
      for await (const event of new Agent({ model }).stream("Count forever.", { signal: controller.signal })) {
        if (event.type !== "text-delta") continue;
        said += event.delta;
        controller.abort(reason);
      }
      return { said, thrown: false };
    } catch (error) {
      return { said, thrown: error === reason };
    }
  }
}

async function problemOf(act: () => Promise<unknown>): Promise<object> {
  try {
    await act();
    return { code: "none" };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { name: error.name, code: error.code, message: error.message };
  }
}
