/** The emulated service's answers to use-core.ts. They only depend on the prompt, so they are the same on each runtime. */
import {
  type Answer,
  type BrainTurn,
  calls,
  type EmulatorOptions,
  faults,
  grounded,
  join,
  json,
  say,
  think,
} from "@pollux/emulator";

/** Options of an emulator that answers {@link useCore}. */
export function service(): EmulatorOptions {
  let isBusy = true;
  return {
    brain: { answer },
    faults: [
      {
        at: ({ body }) => {
          const isRefused = isBusy && JSON.stringify(body).includes("Are you busy?");
          if (isRefused) isBusy = false;
          return isRefused;
        },
        fault: faults.overloaded(),
      },
      {
        at: ({ body }) => JSON.stringify(body).includes("Count forever."),
        fault: faults.stall({ ms: Number.POSITIVE_INFINITY }),
      },
    ],
  };
}

function answer(turn: BrainTurn): Answer {
  switch (turn.prompt) {
    case "Compare Oslo and Lima.":
      if (turn.responses.length > 0)
        return say(`They said: ${JSON.stringify(turn.responses.map((one) => one.response))}`);
      return join(
        think("Both at once."),
        say("Let me look."),
        calls({ name: "get_weather", args: { city: "Oslo" } }, { name: "get_weather", args: { city: "Lima" } }),
      );
    case "Count to three.":
      return say("One, ", "two, ", "three.");
    case "Count forever.":
      return say("One, ", "two, ", "three.");
    case "My name is Ada.":
      return say("Hello, Ada.");
    case "What is my name?":
      return say(JSON.stringify(turn.request.contents).includes("My name is Ada.") ? "Ada." : "I do not know.");
    case "Does it rain in Tromsø?":
      return grounded("Ja, i Tromsø regner det. Ta på deg støvler.", {
        queries: ["tromsø rain"],
        sources: [{ title: "yr.no" }, { title: "met.no" }],
      });
    case "Plan two days in Rome.":
      return json({ days: ["Forum", "Vatican"] });
    case "What does the file say?":
      return say(`${turn.files.length} file of ${turn.files[0]?.sizeBytes} bytes.`);
    default:
      return say("Here I am.");
  }
}
