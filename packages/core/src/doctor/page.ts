import { isObject } from "../internal/json.ts";
import type { Content, FunctionCall, FunctionResponse, FunctionResponsePart, Part } from "../wire/types/content.ts";

/** How a session is shown. */
export interface ShowOptions {
  /** Of the session, for its heading. */
  readonly title?: string | undefined;
  /** Columns of a line. @defaultValue 100 */
  readonly width?: number | undefined;
  /** Whether to colour, by the codes of a terminal. @defaultValue false */
  readonly color?: boolean | undefined;
  /** Whether to show the model's summaries of its thoughts. @defaultValue false */
  readonly thoughts?: boolean | undefined;
}

/** Codes of a terminal: bold, dim, cyan and so on. */
const CODES = {
  heading: "1",
  user: "1;36",
  said: "1;36",
  answer: "1;36",
  model: "1;32",
  thought: "2",
  call: "33",
  result: "2",
  failed: "31",
  asked: "35",
  waits: "35",
  retry: "2",
  media: "2",
  code: "33",
  printed: "2",
  summary: "2",
  end: "1",
} as const;

/** Who says a line, or what it is. */
export type Label = Exclude<keyof typeof CODES, "heading">;

const LABEL_COLUMNS = 9;

/** Lines of a page, in two columns: a label, and what is said. */
export class Page {
  readonly #lines: string[] = [];
  readonly #width: number;
  readonly #color: boolean;

  constructor({ width = 100, color = false }: ShowOptions) {
    this.#width = Math.max(30, width);
    this.#color = color;
  }

  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push("");
    this.#lines.push(...wrapText(printable(text), this.#width).map((line) => this.#paint("heading", line)));
  }

  /** Says a text under a label. Terminal codes in it are taken out. */
  say(label: Label, text: string): void {
    const clean = printable(text).trimEnd();
    if (clean === "") return;
    for (const [index, line] of wrapText(clean, this.#width - LABEL_COLUMNS - 1).entries()) {
      const name = index === 0 ? label : "";
      const padding = " ".repeat(LABEL_COLUMNS - countColumns(name));
      this.#lines.push(`  ${this.#paint(label, name)}${padding.slice(1)}${this.#dim(label, line)}`.trimEnd());
    }
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #paint(what: Label | "heading", text: string): string {
    return this.#color && text !== "" ? `\u001b[${CODES[what]}m${text}\u001b[0m` : text;
  }

  #dim(label: Label, line: string): string {
    return CODES[label] === "2" ? this.#paint(label, line) : line;
  }
}

/** Characters of arguments and results that are shown. */
const SHORT = 240;

/** Puts what a content says on the page. @param who - The label of its text. */
export function showContent(page: Page, { parts }: Content, who: Label, thoughts: boolean): void {
  // Neighbouring texts are one text that came in pieces.
  let text = "";
  const flush = (): void => {
    page.say(who, text);
    text = "";
  };
  for (const part of parts) {
    if (part.text !== undefined && part.thought !== true) {
      text += part.text;
      continue;
    }
    flush();
    showPart(page, part, thoughts);
  }
  flush();
}

function showPart(page: Page, part: Part, thoughts: boolean): void {
  if (part.thought === true) {
    if (thoughts) page.say("thought", part.text ?? "");
  } else if (part.functionCall !== undefined) page.say("call", formatCall(part.functionCall));
  else if (part.functionResponse !== undefined) showResponse(page, part.functionResponse);
  else showServiceWork(page, part);
}

/** What the service did by itself, and media. */
function showServiceWork(page: Page, part: Part): void {
  const code: unknown = part.executableCode;
  const printed: unknown = part.codeExecutionResult;
  const call: unknown = part.toolCall;
  const response: unknown = part.toolResponse;
  if (isObject(code)) page.say("code", textIn(code, "code"));
  else if (isObject(printed)) page.say("printed", inOneLine(printed["output"] ?? printed["outcome"] ?? "", SHORT));
  else if (isObject(call)) page.say("call", `${textIn(call, "toolType")}(${formatArgs(call["args"])}), by the service`);
  else if (isObject(response))
    page.say("result", `${textIn(response, "toolType")}: ${inOneLine(response["response"] ?? {}, SHORT)}`);
  else page.say("media", formatMedia(part) ?? inOneLine(part, SHORT));
}

/** A call in one line, with its arguments shortened. */
export function formatCall({ name, args }: FunctionCall): string {
  return `${name}(${formatArgs(args)})`;
}

function formatArgs(args: unknown): string {
  return !isObject(args) || Object.keys(args).length === 0 ? "" : inOneLine(args, SHORT);
}

function showResponse(page: Page, { name, response, parts }: FunctionResponse): void {
  const isFailure = "error" in response;
  const value = isFailure ? response["error"] : "output" in response ? response["output"] : response;
  page.say(isFailure ? "failed" : "result", `${name}: ${inOneLine(value, SHORT)}`);
  if (!Array.isArray(parts)) return;
  for (const part of parts as readonly unknown[]) if (isObject(part)) page.say("media", formatMedia(part) ?? "");
}

function formatMedia({ inlineData, fileData }: FunctionResponsePart): string | undefined {
  // What a log holds of a part's data may be anything.
  const data: unknown = inlineData;
  const file: unknown = fileData;
  if (isObject(data)) {
    const base64 = typeof data["data"] === "string" ? data["data"].length : 0;
    return `[${textIn(data, "mimeType")}, ${Math.floor((base64 * 3) / 4).toLocaleString("en-US")} bytes]`;
  }
  return isObject(file) ? `[${textIn(file, "mimeType")} at ${textIn(file, "fileUri")}]` : undefined;
}

function textIn(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = fields[key];
  return typeof value === "string" ? value : "unknown";
}

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
    const columns = countColumns(word);
    if (used + columns > width && used > 0) {
      lines.push(current.trimEnd());
      current = "";
      used = 0;
      if (word.trim() === "") continue;
    }
    for (const character of columns > width ? word : [word]) {
      const more = countColumns(character);
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
export function countColumns(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}|\p{Cf}/u.test(character)) continue;
    columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}
