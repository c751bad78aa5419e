import { arch, cpus, release, totalmem, type } from "node:os";

/** One line about the machine and the date. */
export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}; ${first?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${memory} GB; Node ${process.version}, ${type()} ${release()} ${arch()}`;
}
