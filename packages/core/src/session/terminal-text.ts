/** Escape sequences: of strings (title, link), of cursor and colour, and all others. */
const ESCAPES =
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]?/g;

/** Control characters but line feeds, and what turns the direction of writing around. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text that neither moves the cursor nor recolours the screen, whoever wrote it. Line feeds stay, a tab becomes two spaces. */
export function printable(text: string): string {
  return text.replaceAll(ESCAPES, "").replaceAll(/\r\n?/g, "\n").replaceAll("\t", "  ").replaceAll(CONTROLS, "");
}

/** A value as text in one line of at most `length` characters. */
export function inOneLine(value: unknown, length: number): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const line = printable(text).replaceAll(/\s+/g, " ").trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : line;
}

/** A text in lines of at most `width` columns, broken at spaces where there are some. */
export function wrapText(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, Math.max(1, width)));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  let used = 0;
  for (const word of line.match(/\s+|\S+/gu) ?? []) {
    const columns = columnsOf(word);
    if (used + columns > width && used > 0) {
      lines.push(current.trimEnd());
      current = "";
      used = 0;
      if (word.trim() === "") continue;
    }
    for (const character of columns > width ? word : [word]) {
      const more = columnsOf(character);
      if (used + more > width && used > 0) {
        lines.push(current);
        current = "";
        used = 0;
      }
      current += character;
      used += more;
    }
  }
  return [...lines, current.trimEnd()];
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** How many columns of a terminal a text takes, about: an East Asian character or an emoji takes two. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}|\p{Cf}/u.test(character)) continue;
    columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}
