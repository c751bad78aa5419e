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

/** Characters that take two columns of a terminal: East Asian scripts and emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u;

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text))
    if (!/[\p{Mark}\u200d]/u.test(character)) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}

/** Whether the user wants colors: on a terminal, unless `NO_COLOR` is set; elsewhere only if `FORCE_COLOR` is. */
export function showsColor({ stdout, env }: Pick<CliProcess, "stdout" | "env">): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stdout.isTTY === true && env["TERM"] !== "dumb";
}

/** Columns of the terminal, or of `COLUMNS` where there is none; `Infinity` if neither is known. */
export function widthOf({ stdout, env }: Pick<CliProcess, "stdout" | "env">): number {
  const columns = (stdout.isTTY === true ? stdout.columns : undefined) ?? Number(env["COLUMNS"]);
  return columns > 0 ? columns : Infinity;
}
