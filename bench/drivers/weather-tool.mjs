import { z } from "zod";

/** Created on first use, so that importing a driver measures only imports. */
let made;

/** The tool of every handwritten driver: its declaration, and the response to a call, with the arguments checked by zod. */
export function weatherTool() {
  if (made === undefined) {
    const input = z.object({ city: z.string() });
    made = {
      declaration: {
        name: "weather",
        description: "Current weather in a city.",
        parametersJsonSchema: z.toJSONSchema(input),
      },
      answer: async ({ id, name, args }, weather) => ({
        functionResponse: { id, name, response: { output: await weather(input.parse(args)) } },
      }),
    };
  }
  return made;
}
