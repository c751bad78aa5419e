import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A module that exports `run({ base, model, weather, unary })`, which performs one agent run and returns `{ text }`. */
export interface Driver {
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly url: string;
  /** One of the other libraries: its failures are reported but don't fail the command. */
  readonly isPeer: boolean;
}

/** The drivers that take part by default. The first is the baseline. */
export const OWN_DRIVERS: readonly string[] = ["raw", "raw-cached", "raw-http", "pollux", "pollux-fetch"];

/**
 * Finds a driver by name, or takes the path of a module (`.mjs`).
 *
 * @throws {TypeError} If there is none.
 */
export function driverOf(name: string): Driver {
  if (name.endsWith(".mjs")) {
    const file = resolve(name);
    if (!existsSync(file)) throw new TypeError(`--drivers: there is no file ${file}.`);
    return driverFrom(basename(name, ".mjs"), file);
  }
  if (!OWN_DRIVERS.includes(name))
    throw new TypeError(
      `--drivers: ${name} is none of ${OWN_DRIVERS.join(", ")}; for another driver, pass a path that ends in .mjs.`,
    );
  return driverFrom(name, join(import.meta.dirname, "drivers", `${name}.mjs`));
}

/** A driver in its own file. */
export function driverFrom(name: string, file: string, isPeer = false): Driver {
  return { name, file, url: pathToFileURL(file).href, isPeer };
}
