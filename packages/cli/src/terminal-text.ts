import type { CliProcess } from "./command.ts";

/** Escape sequences: strings (title, link), control sequences (cursor, color), and all others. */
const ESCAPES =
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]?/g;

/** Control characters except tabs and line feeds, and characters that change the text direction. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Untrusted text, such as a model's or a tool's, made safe: it can't move the cursor or recolor the screen. */
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
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

const PLAIN = /^[\u0020-\u007e]*$/;
/** Invisible. */
const HIDDEN = /^[\p{Mark}\p{Format}\p{Control}\u1160-\u11ff]*$/u;

/** Whether a text has a character of two columns. */
export function isWide(text: string): boolean {
  return !PLAIN.test(text) && (WIDE.test(text) || text.includes("\ufe0f"));
}

/** Code points that join others to one character. */
const JOINING = /[\p{Mark}\p{Regional_Indicator}\p{Emoji_Modifier}\p{Format}\u1100-\u11ff]/u;

/** Splits a text into user-perceived characters: letters with their marks, and emoji of several code points. */
export function graphemesOf(text: string): string[] {
  if (!JOINING.test(text)) return Array.from(text);
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  const shown = text.includes("\u001b") ? text.replaceAll(ESCAPES, "") : text;
  if (PLAIN.test(shown)) return shown.length;
  let columns = 0;
  for (const grapheme of graphemesOf(shown)) if (!HIDDEN.test(grapheme)) columns += isWide(grapheme) ? 2 : 1;
  return columns;
}

/** Whether the user wants colors: on a terminal, unless `NO_COLOR` is set; elsewhere only if `FORCE_COLOR` is. */
export function showsColor({ stdout, env }: Pick<CliProcess, "stdout" | "env">): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stdout.isTTY === true && env["TERM"] !== "dumb";
}

/** Whether the terminal is known to make a link of OSC 8 codes; others show the text alone, and would hide where it leads. */
export function showsLinks({ stdout, env }: Pick<CliProcess, "stdout" | "env">): boolean {
  if (env["FORCE_HYPERLINK"]) return env["FORCE_HYPERLINK"] !== "0";
  if (stdout.isTTY !== true || env["TERM"] === "dumb") return false;
  const { TERM = "", TERM_PROGRAM = "" } = env;
  return (
    /^(?:ghostty|Hyper|iTerm\.app|rio|Tabby|vscode|WarpTerminal|WezTerm|zed)$/.test(TERM_PROGRAM) ||
    /^(?:alacritty|foot|xterm-ghostty|xterm-kitty|wezterm)/.test(TERM) ||
    Boolean(env["WT_SESSION"] ?? env["KONSOLE_VERSION"]) ||
    Number(env["VTE_VERSION"]) >= 5000
  );
}

/**
 * Columns of the terminal, or of `COLUMNS` if it reports none, such as a pipe or a terminal of size 0; `Infinity` if
 * neither is known.
 */
export function widthOf({ stdout, env }: Pick<CliProcess, "stdout" | "env">): number {
  const columns = stdout.isTTY === true ? stdout.columns : undefined;
  return knownWidth(columns) ?? knownWidth(Number(env["COLUMNS"])) ?? Infinity;
}

/** A width, if it is known: a terminal that does not know its size reports 0. */
export function knownWidth(columns: number | undefined): number | undefined {
  return columns !== undefined && columns > 0 ? columns : undefined;
}
