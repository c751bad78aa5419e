// A fresh process up to the end of its first run: a call of the tool, and a text.
const { driver, model, base } = JSON.parse(process.argv[2]);
const { run, unavailable } = await import(driver);
let sample = { unavailable };
if (unavailable === undefined) {
  let executed = 0;
  const weather = async ({ city }) => (executed++, { city, report: "rain" });
  const { text } = await run({ base, model, weather, unary: false });
  if (text !== "done" || executed !== 1)
    throw new Error(`The text was ${JSON.stringify(text)} after ${executed} calls.`);
  const { user, system } = process.cpuUsage();
  // Counted from the start of the process.
  sample = { wallMs: performance.now(), cpuMs: (user + system) / 1_000 };
}
process.stdout.write(`\nsample: ${JSON.stringify(sample)}\n`, () => process.exit());
