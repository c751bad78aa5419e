// Agents for the programs in this folder: nothing here depends on where their runs live.
import { setTimeout } from "node:timers/promises";
import { connect } from "@pollux/cli";
import { Agent, defineTool } from "@pollux/core";
import { z } from "zod";

/** Close it before a program exits. */
export const connection = await connect();

const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  effects: "idempotent",
  run: async ({ city }, { idempotencyKey, signal }) => {
    console.log(`get_weather ${city}, key ${idempotencyKey}`);
    await setTimeout(Number(process.env["TAKES_MS"] ?? 300), undefined, { signal });
    return { city, celsius: 9, rain: true };
  },
});

/** Restate and DBOS find it by its name. */
export const planner = new Agent({
  name: "planner",
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  instructions: "You plan trips. Look the weather up before you say what to pack.",
  tools: [getWeather],
});

export const QUESTION = "Please call get_weather for Oslo, then tell me what to pack.";
