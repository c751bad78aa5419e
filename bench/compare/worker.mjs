// Runs cases with one library, in its own process: a message is a job, the answer is what an application gets.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { converse } from "./conversations.mjs";

const driver = await import(process.argv[2]);
const { open, settings, absent = {} } = await import(process.argv[3]);
let stopping;

process.on("message", (job) => {
  if (job.stop) stopping.abort();
  else void (job.scene === 0 ? answer(job) : act(job));
});
process.send({ settings: { ...driver.settings, ...settings }, absent });

/** One process's part of a conversation: its effects are in the notes, and in the text that it comes to. */
async function act({ id, folder, ...job }) {
  stopping = new AbortController();
  const note = (word) => appendFileSync(join(folder, "notes"), `${word}\n`);
  const nothing = { inputs: [], together: 0 };
  try {
    const text = await converse(id, open, { ...job, driver, folder, signal: stopping.signal }, note);
    process.send({ result: { text: text ?? "", succeeded: true }, ...nothing });
  } catch (error) {
    process.send({ error: nameOf(error), ...nothing });
  }
}

async function answer({ base, model, search, tool, tuned }) {
  const inputs = [];
  let running = 0;
  let together = 0;
  const both = Promise.withResolvers();
  const weather = async (input) => {
    inputs.push(input);
    running++;
    together = Math.max(together, running);
    if (running === 2) both.resolve();
    // Alone, the first of two calls would wait forever.
    if (tool === "meets") await Promise.race([both.promise, new Promise((resolve) => setTimeout(resolve, 2_000))]);
    running--;
    if (tool === "throws") throw new Error("The weather station is on fire.");
    return { city: input.city, sky: "rain" };
  };
  try {
    const { text, details } = await driver.run({ base, model, search, weather, tuned, turns: 10 });
    const result = { text: text ?? "", ...(await details()) };
    process.send({ result, inputs, together });
  } catch (error) {
    process.send({ error: nameOf(error), inputs, together });
  }
}

function nameOf(error) {
  if (!(error instanceof Error)) return undefined;
  return error.name === "Error" ? error.constructor.name : error.name;
}
