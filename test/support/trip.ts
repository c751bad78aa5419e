import { type AnyTool, type Content, defineTool } from "@pollux/core";
import { type Answer, type Brain, type BrainTurn, calls, join, say, think } from "@pollux/emulator";
import { z } from "zod";

/** Weather, at once. */
export const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, celsius: city.length }),
});

/** Adds two numbers, a little later. */
export const add = defineTool({
  name: "add",
  description: "Adds two numbers.",
  input: z.object({ a: z.number(), b: z.number() }),
  run: async ({ a, b }) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return a + b;
  },
});

/** The functions that {@link trip} calls. */
export const TOOLS: readonly AnyTool[] = [getWeather, add];

/** The model's last answer in {@link trip}. */
export const ANSWER = "Oslo has 4 degrees and Lima has 4 as well; together that makes 8.";

/** A brain whose answer depends on the progress of the current question, so it can get the same request twice. */
export function byStep(...steps: readonly ((turn: BrainTurn) => Answer | readonly Answer[])[]): Brain {
  return {
    answer(turn) {
      const step = turn.sincePrompt.filter(({ role }) => role === "model").length;
      const said = (steps[step] ?? steps.at(-1))?.(turn) ?? [];
      return isList(said) ? join(...said) : said;
    },
  };
}

/** Three requests: two parallel calls, one more call, then the answer. Counts answered calls, since some clients split one answer into several contents. */
export function trip(): Brain {
  return {
    answer({ sincePrompt }) {
      const answered = sincePrompt.flatMap(({ parts }) => parts.flatMap((part) => part.functionResponse ?? [])).length;
      if (answered > 2) return say(ANSWER);
      if (answered === 2) return calls({ name: "add", args: { a: 4, b: 4 } });
      return join(
        think("The weather first."),
        say("Let me look."),
        calls({ name: "get_weather", args: { city: "Oslo" } }, { name: "get_weather", args: { city: "Lima" } }),
      );
    },
  };
}

/** A content of the user with one text. */
export function user(said: string): Content {
  return { role: "user", parts: [{ text: said }] };
}

/** Contents that can start a run: the given ones, plus a message if the last one is the model's. */
export function goOn(contents: readonly Content[]): readonly Content[] {
  return contents.at(-1)?.role === "model" ? [...contents, user("Go on.")] : contents;
}

function isList(said: Answer | readonly Answer[]): said is readonly Answer[] {
  return Array.isArray(said);
}
