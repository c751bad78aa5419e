import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

const PAGE = join(import.meta.dirname, "../docs/benchmarks.md");
const BEGIN = "<!-- figures: written by `pnpm bench --docs` -->";
const END = "<!-- end of figures -->";

/**
 * Replaces the block of figures in `docs/benchmarks.md`.
 *
 * @throws {Error} If the page has lost its markers.
 */
export function writeDocsPage(report: string, page: string = PAGE): void {
  const text = readFileSync(page, "utf8");
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${page} needs the lines "${BEGIN}" and "${END}" around its figures.`);
  writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${report.trim()}\n\n${text.slice(end)}`);
}

/** One line about the machine, the date and the number of rounds. */
export function conditions(runs: number): string {
  return `${machine()}; medians of ${runs} rounds.`;
}

/** One line about the machine and the date. */
export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}; ${first?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${memory} GB; Node ${process.version}, ${type()} ${release()} ${arch()}`;
}
