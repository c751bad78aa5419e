import { appendFileSync, readFileSync } from "node:fs";
import type { Draft } from "@pollux/core";

/** A note of a process that streams a text, written before it continues. */
export type StreamNote =
  /** The number of characters on the screen. */
  | { readonly shown: number; readonly atMs: number }
  /** The store has acknowledged a draft. */
  | { readonly kept: number; readonly atMs: number };

/** Notes survive the process: each is one synchronous write. */
export function note(file: string, one: StreamNote): void {
  appendFileSync(file, `${JSON.stringify(one)}\n`);
}

/** The notes of a process, which may have been killed. */
export function readNotes(file: string): readonly StreamNote[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as StreamNote);
}

/** Characters of the text of a draft. */
export function lengthOf(draft: Draft | undefined): number {
  return (draft?.parts ?? []).reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
}

/** The streamed text, longer than any test waits for: no two parts of it are the same. */
export const LONG_TEXT: string = Array.from({ length: 8_000 }, (_, index) => `word${index} `).join("");
