// One sample: a fresh process that warms up a driver, measures its own CPU time, and prints one line.
// Plain JavaScript, so that type stripping takes no memory or time in the measured process.
import { setTimeout as sleep } from "node:timers/promises";

const { driver, model, base, warmBase, warm, runs, together, unary, text, report } = JSON.parse(process.argv[2]);
const { run, unavailable } = await import(driver);
if (unavailable !== undefined) await finish({ unavailable });

let executed = 0;
let wrongTexts = 0;
let last = "";

async function weather(input) {
  if (typeof input?.city === "string") executed++;
  return { city: input?.city, report };
}

async function once(to) {
  const result = await run({ base: to, model, weather, unary });
  last = result?.text ?? "";
  if (last.length !== text.of.length * text.times) wrongTexts++;
}

async function times(count, to) {
  if (together) await Promise.all(Array.from({ length: count }, () => once(to)));
  else for (let done = 0; done < count; done++) await once(to);
}

await times(warm, warmBase);
if (warm > 0 && wrongTexts === warm) throw new Error(`The final text was ${JSON.stringify(last.slice(0, 80))}.`);
executed = wrongTexts = 0;
last = "";
globalThis.gc?.();
await sleep(50);

const wallBefore = performance.now();
const cpuBefore = process.cpuUsage();
await times(runs, base);
const cpu = process.cpuUsage(cpuBefore);
const wallMs = performance.now() - wallBefore;

if (wrongTexts === 0 && last !== text.of.repeat(text.times)) wrongTexts = 1;
await finish({
  cpuMs: (cpu.user + cpu.system) / 1_000,
  wallMs,
  peakMB: process.resourceUsage().maxRSS / 1_024,
  executed,
  wrongTexts,
});

/** Ends the process, so its promise never settles. */
function finish(sample) {
  return new Promise(() => {
    process.stdout.write(`\nsample: ${JSON.stringify(sample)}\n`, () => process.exit());
  });
}
