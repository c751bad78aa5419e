import type { CliProcess } from "./command.ts";

/** Escape sequences: strings (title, link), control sequences (cursor, color), and all others. */
const ESCAPES =
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]?/g;

/** Control characters except tabs and line feeds, and characters that change the text direction. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Untrusted text, such as a model's or a tool's, made safe: it can neither move the cursor nor recolor the screen. */
export function printable(text: string): string {
  return text.replaceAll(ESCAPES, "").replaceAll(CONTROLS, "");
}

/** A value on one line of at most `length` characters. */
export function inOneLine(value: unknown, length: number): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const line = printable(text).replaceAll(/\s+/g, " ").trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : line;
}

/** Characters that take two columns of a terminal: East Asian scripts and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** How many columns of a terminal a text takes, approximately. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text.replaceAll(ESCAPES, ""))
    if (!/[\p{Mark}\p{Format}]/u.test(character)) columns += WIDE.test(character) ? 2 : 1;
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
