// Runs cases with one library, in its own process: a message is a job, the answer is what an application gets.
const { run, settings = {} } = await import(process.argv[2]);

process.on("message", (job) => void answer(job));
process.send({ settings });

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
    const { text, details } = await run({ base, model, search, weather, tuned, turns: 10 });
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
