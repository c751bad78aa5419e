import { stripVTControlCharacters } from "node:util";
import type { CliProcess } from "./command.ts";

/** Control characters except tabs and line feeds, and characters that change the text direction. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Untrusted text, such as a model's or a tool's, made safe: it can neither move the cursor nor recolor the screen. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROLS, "");
}

/** A value on one line of at most `length` characters. */
export function inOneLine(value: unknown, length: number): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const line = printable(text.replaceAll(/\s+/g, " ")).trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : line;
}

/** Whether a terminal supports colors and the user wants them. */
export function showsColor({ stdout, env }: Pick<CliProcess, "stdout" | "env">): boolean {
  return stdout.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
