// How long one import takes in a fresh process.
const [, , specifier] = process.argv;
const cpuBefore = process.cpuUsage();
const before = performance.now();
const { unavailable } = await import(specifier);
const wallMs = performance.now() - before;
const cpu = process.cpuUsage(cpuBefore);
const sample = unavailable === undefined ? { wallMs, cpuMs: (cpu.user + cpu.system) / 1_000 } : { unavailable };
process.stdout.write(`\nsample: ${JSON.stringify(sample)}\n`, () => process.exit());
