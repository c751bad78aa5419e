// Tools are zod-typed functions. Calls in the same turn run concurrently.
import { connect } from "@pollux/cli";
import { Agent, defineTool, ToolError } from "@pollux/core";
import { z } from "zod";

await using connection = await connect();

const temperatures = new Map([
  ["paris", 9],
  ["rome", 17],
]);
const getWeather = defineTool({
  name: "get_weather",
  description: "Current temperature in a city, in degrees Celsius.",
  input: z.object({ city: z.string().describe("City name, English") }),
  run: ({ city }) => {
    const celsius = temperatures.get(city.toLowerCase());
    if (celsius === undefined) throw new ToolError(`no weather station in ${city}; known: Paris, Rome`);
    return { city, celsius };
  },
});

const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint, tools: [getWeather] });
const stream = agent.stream("Compare the weather in Paris and Rome.");
for await (const event of stream) {
  if (event.type === "tool-end") console.log(event.call.name, event.call.args, event.outcome, `${event.durationMs} ms`);
}
console.log((await stream.result()).text);
