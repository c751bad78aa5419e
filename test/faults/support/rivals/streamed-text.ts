import { appendFileSync, readFileSync } from "node:fs";
import type { Draft } from "@pollux/core";

/** What a process that streams a text says about it, line by line, before it goes on. */
export type StreamNote =
  /** A person sees so many characters. */
  | { readonly shown: number; readonly atMs: number }
  /** The store has acknowledged a draft. */
  | { readonly kept: number; readonly atMs: number };

/** Notes survive the process: each is written at once, in one piece. */
export function note(file: string, one: StreamNote): void {
  appendFileSync(file, `${JSON.stringify(one)}\n`);
}

/** The notes of a process that may have been killed. */
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

/** The text that is streamed, longer than anybody waits for: no two parts of it are alike. */
export const LONG_TEXT: string = Array.from({ length: 8_000 }, (_, index) => `word${index} `).join("");
