import { readFileSync } from "node:fs";
import type { Json } from "@pollux/core";

/**
 * The values of a JSONL file, with the numbers of their lines from 1. Empty lines are skipped.
 *
 * @throws {TypeError} Naming the line that is not JSON.
 */
export function readJsonLines(path: string | URL): readonly { readonly value: Json; readonly line: number }[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((text, index) => {
      if (text.trim() === "") return [];
      try {
        return [{ value: JSON.parse(text) as Json, line: index + 1 }];
      } catch (cause) {
        throw new TypeError(`${String(path)}: line ${index + 1} is not JSON`, { cause });
      }
    });
}
