/** The body of both hello programs: a tool, an agent, an emulated service; prints the result as JSON. */
const HELLO = `
async function hello() {
  const server = await createEmulator({ brain: improvise() }).listen();
  try {
    let city;
    const getWeather = defineTool({
      name: "get_weather",
      description: "Current weather in a city.",
      input: z.object({ city: z.string() }),
      run: (input) => {
        city = input.city;
        return { celsius: 9 };
      },
    });
    const agent = new Agent({
      model: "gemini-flash-latest",
      endpoint: endpoint({ baseUrl: server.url, apiKey: "emulator" }),
      tools: [getWeather],
    });
    const { stopReason, text } = await agent.run("What is the weather in Oslo?");
    console.log(JSON.stringify({ stopReason, city, text }));
  } finally {
    await server.close();
  }
}
hello();
`;

export const HELLO_MODULE = `
import { Agent, defineTool, endpoint } from "@pollux/core";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { z } from "zod";
${HELLO}`;

// Node 20 warns on stderr that loading ES modules with require is experimental, which doesn't matter here.
export const HELLO_COMMONJS = `
process.removeAllListeners("warning");
const { Agent, defineTool, endpoint } = require("@pollux/core");
const { createEmulator } = require("@pollux/emulator");
const { improvise } = require("@pollux/emulator/improvise");
const { z } = require("zod");
${HELLO}`;

/** Appends each imported URL to the file in the variable LOADED. Runs on Node 20, which has no `registerHooks`. */
export const RECORDING_LOADER = `
import { appendFileSync } from "node:fs";
export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  appendFileSync(process.env.LOADED, resolved.url + "\\n");
  return resolved;
}
`;

export const REGISTER_LOADER = `
import { register } from "node:module";
register("./loader.mjs", import.meta.url);
`;

/** Uses the public types like an application; each `@ts-expect-error` is a mistake that must not compile. */
export const TYPED_PROGRAM = `
import { Agent, type Content, defineTool, finished, googleSearch, type RunResult } from "@pollux/core";
import type { Content as WireContent } from "@pollux/core/wire";
import { ScriptedModel } from "@pollux/core/testing";
import { createEmulator } from "@pollux/emulator";
import { listFiles } from "@pollux/tools/files";
import { z } from "zod";

const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  run: ({ city }, { signal }) => {
    const name: string = city;
    // @ts-expect-error: a string is no number
    const length: number = city;
    signal.throwIfAborted();
    return { name, length };
  },
});

const agent = new Agent({
  model: "gemini-flash-latest",
  instructions: "You plan trips.",
  tools: [getWeather, googleSearch(), listFiles({ root: "." })],
});

export const result: RunResult = await agent.run("Do I need an umbrella in Oslo today?");
export const history: readonly Content[] = result.contents;
export const sameWords: readonly WireContent[] = result.contents;

const trip = await agent.run("Plan it", { output: z.object({ days: z.array(z.string()) }) });
// @ts-expect-error: only a finished run has an output
trip.output;
if (trip.stopReason === "finished") {
  const days: string[] = trip.output.days;
  days.push("one more");
}
export const narrowed: string[] = finished(trip).output.days;

for await (const event of agent.stream("And tomorrow?")) {
  if (event.type === "text-delta") event.delta.toUpperCase();
}

export const parts: readonly unknown[] = [createEmulator(), ScriptedModel];
`;
