import { Agent, cometapi, defineTool, type Endpoint, finished, google, googleSearch } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";

/** The real service, for whoever has a key. Model: `POLLUX_LIVE_MODEL`, by default the newest flash. */
const services: readonly {
  readonly name: string;
  readonly key: string | undefined;
  readonly endpoint: () => Endpoint;
}[] = [
  { name: "Google", key: process.env["GOOGLE_API_KEY"] ?? process.env["GEMINI_API_KEY"], endpoint: () => google() },
  { name: "CometAPI", key: process.env["COMETAPI_KEY"], endpoint: () => cometapi() },
  {
    name: "CometAPI with a bearer token",
    key: process.env["COMETAPI_KEY"],
    endpoint: () => cometapi({ auth: "bearer" }),
  },
];
const model = process.env["POLLUX_LIVE_MODEL"] ?? "gemini-flash-latest";

const getWeather = defineTool({
  name: "get_weather",
  description: "Current temperature in a city, in degrees Celsius.",
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, celsius: city === "Paris" ? 9 : 17 }),
});

for (const { name, key, endpoint } of services) {
  describe.skipIf(key === undefined)(`${name}, live`, { timeout: 120_000 }, () => {
    test("answers", async () => {
      const result = await new Agent({ model, endpoint: endpoint() }).run("Say hello.");
      expect(result).toMatchObject({ stopReason: "finished", turns: 1 });
      expect(result.text).not.toBe("");
    });

    test("runs parallel calls, streamed", async () => {
      const stream = new Agent({ model, endpoint: endpoint(), tools: [getWeather] }).stream(
        "Compare the temperature in Paris and Rome.",
      );
      let calls = 0;
      for await (const event of stream) if (event.type === "tool-end") calls++;
      const result = await stream.result();
      expect(result.stopReason).toBe("finished");
      expect(calls).toBeGreaterThanOrEqual(2);
      expect(result.text).toContain("17");
    });

    test("mixes search and functions", async () => {
      const result = await new Agent({ model, endpoint: endpoint(), tools: [getWeather, googleSearch()] }).run(
        "Search the web: which city hosted the 2024 Olympics? Then get its weather.",
      );
      expect(result.stopReason).toBe("finished");
      expect(result.groundedBy).not.toBe("none");
    });

    test("gives typed output", async () => {
      const result = await new Agent({ model, endpoint: endpoint(), tools: [getWeather] }).run("Weather in Paris?", {
        output: z.object({ celsius: z.number() }),
      });
      expect(finished(result).output).toEqual({ celsius: 9 });
    });
  });
}
