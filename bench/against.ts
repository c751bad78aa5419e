import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Driver, driverFrom, driverOf } from "./drivers.ts";

/** The drivers of an A/B comparison: the built core of another checkout, which is the baseline, and this one's. */
export function driversAgainst(checkout: string): readonly Driver[] {
  const core = join(resolve(checkout), "packages/core");
  const entry = join(core, "dist/index.js");
  if (!existsSync(entry)) throw new TypeError(`--against: ${entry} is missing. Build that checkout first.`);
  // Each build brings its own zod, as it does in its own checkout.
  const zod = createRequire(join(core, "package.json")).resolve("zod");
  const folder = mkdtempSync(join(tmpdir(), "pollux-bench-against-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "against.mjs");
  const here = driverOf("pollux");
  writeFileSync(
    file,
    readFileSync(here.file, "utf8")
      .replace('"@pollux/core"', JSON.stringify(pathToFileURL(entry).href))
      .replace('"zod"', JSON.stringify(pathToFileURL(zod).href)),
  );
  return [driverFrom("against", file), here];
}
