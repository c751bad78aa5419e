import { defineTool } from "@pollux/core";
import { z } from "zod";
import { pause } from "./pause.ts";

const STATIONS = 4;
const SKIES = ["clear", "cloudy", "light rain", "rain", "snow"] as const;

/** The weather of three days, made up from the name of the city. It reports how many stations have answered. */
export const getWeather = defineTool({
  name: "get_weather",
  description: "Weather forecast of a city: temperature and rain for today and the next two days.",
  input: z.object({ city: z.string().describe("City name, English") }),
  effects: "none",
  // Numbers and a few words of this program. Text of somebody else's would be "untrusted".
  reads: "trusted",
  async *run({ city }, { signal }) {
    for (let answered = 0; answered < STATIONS; answered++) {
      yield { done: answered, total: STATIONS, text: `Asking weather stations near ${city}` };
      await pause(500, signal);
    }
    const seed = Array.from(city.toLowerCase()).reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0);
    const days = ["today", "tomorrow", "the day after"].map((day, index) => ({
      day,
      sky: SKIES[(seed + index * 2) % SKIES.length] ?? "clear",
      celsius: ((seed * (index + 3)) % 31) - 4,
    }));
    return { city, days };
  },
});
