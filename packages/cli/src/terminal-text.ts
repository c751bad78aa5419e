import { stripVTControlCharacters } from "node:util";
import type { CliProcess } from "./command.ts";

/** Control characters but tabs and line feeds, and what turns the direction of writing around. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text from elsewhere, such as a model's or a tool's, that can neither move the cursor nor recolor the screen. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROLS, "");
}

/** A value in one line of at most `length` characters. */
export function inOneLine(value: unknown, length: number): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const line = printable(text.replaceAll(/\s+/g, " ")).trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : line;
}

/** Whether a terminal shows colors, and the person wants them. */
export function showsColor({ stdout, env }: Pick<CliProcess, "stdout" | "env">): boolean {
  return stdout.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
