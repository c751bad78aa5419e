import { readFile } from "node:fs/promises";
import { ConfigurationError } from "@pollux/core";
import { type Baseline, readBaseline } from "./baseline.ts";

/** What the file of a suite's baseline is called, or of one of its variants: `support.baseline.json`, `support.short.baseline.json`. */
export function baselineName(suite: string, variant?: string): string {
  return `${variant === undefined ? suite : `${suite}.${variant}`}.baseline.json`;
}

/**
 * Reads a baseline, if there is one.
 *
 * @throws {ConfigurationError} When the file is none, with its name and what is wrong.
 */
export async function readBaselineFile(file: string): Promise<Baseline | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  try {
    return text === undefined ? undefined : readBaseline(text);
  } catch (error) {
    throw new ConfigurationError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
