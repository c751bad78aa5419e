/**
 * Plays random rounds of actors that race on one session: `node scripts/random-races.ts --seeds 500 [--from 1] [--store sqlite]`.
 *
 * Every seed is played in one process with each of its stores, and with real processes in one of theirs. Prints each
 * failure with its seed, the fewest steps that fail, and their results.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const STORES = ["memory", "sqlite", "jsonl", "postgres"];

const { values } = parseArgs({
  // Some package managers hand `--` on.
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    store: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help === true) {
  console.log(`Usage: pnpm test:races -- [--seeds 20] [--from 1] [--store ${STORES.join("|")}]

Plays random rounds of actors that race on one session, from a seed on; without a store, on all of them.`);
  process.exit();
}
const { store } = values;
if (store !== undefined && !STORES.includes(store))
  throw new TypeError(`--store must be one of ${STORES.join(", ")}, got ${store}`);
const races = { count: whole("seeds", values.seeds, 20), from: whole("from", values.from, 1), store };

const { status } = spawnSync("pnpm", ["exec", "vitest", "run", "--project", "system", "test/races/"], {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  env: { ...process.env, POLLUX_RACES: JSON.stringify(races) },
  stdio: "inherit",
});
process.exitCode = status ?? 1;

function whole(name: string, value: string | undefined, fallback: number): number {
  const number = Number(value ?? fallback);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new TypeError(`--${name} must be a whole number from 1, got ${value}`);
}
