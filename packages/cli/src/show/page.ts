import type { Content, FunctionCall, FunctionResponse, Part } from "@pollux/core";
import { readCalls } from "@pollux/core/doctor";
import type { FunctionResponsePart } from "@pollux/core/wire";
import { columnsOf, inOneLine, knownWidth, printable } from "../terminal-text.ts";

/** Options of `showSession`. */
export interface ShowSessionOptions {
  /** The session's title, for the heading. */
  readonly title?: string | undefined;
  /** Columns per line; 0, which a terminal of unknown size reports, stands for the default. @defaultValue 100 */
  readonly width?: number | undefined;
  /** Adds colors as terminal codes. @defaultValue false */
  readonly color?: boolean | undefined;
  /** Includes thought summaries. @defaultValue false */
  readonly thoughts?: boolean | undefined;
}

/** SGR codes of a terminal: bold, dim, cyan and so on. */
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
  held: "35",
  waits: "35",
  retry: "2",
  media: "2",
  code: "33",
  printed: "2",
  summary: "2",
  end: "1",
} as const;

/** Who speaks, or what kind of line it is. */
export type Label = Exclude<keyof typeof CODES, "heading">;

const LABEL_COLUMNS = 9;
const DEFAULT_WIDTH = 100;

/** Text in two columns: labels and their texts. */
export class Page {
  readonly #lines: string[] = [];
  readonly #width: number;
  readonly #color: boolean;

  constructor({ width, color = false }: ShowSessionOptions) {
    const known = knownWidth(width) ?? Infinity;
    this.#width = Number.isFinite(known) ? Math.max(30, known) : DEFAULT_WIDTH;
    this.#color = color;
  }

  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push("");
    this.#lines.push(...wrapText(printableLines(text), this.#width).map((line) => this.#paint("heading", line)));
  }

  /** Adds a text under a label, without the terminal codes in it. */
  say(label: Label, text: string): void {
    const clean = printableLines(text).trimEnd();
    if (clean === "") return;
    for (const [index, line] of wrapText(clean, this.#width - LABEL_COLUMNS - 1).entries()) {
      const name = index === 0 ? label : "";
      const padding = " ".repeat(LABEL_COLUMNS - 1 - name.length);
      const shown = CODES[label] === CODES.thought ? this.#paint(label, line) : line;
      this.#lines.push(`  ${this.#paint(label, name)}${padding}${shown}`.trimEnd());
    }
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #paint(what: Label | "heading", text: string): string {
    return this.#color && text !== "" ? `\u001b[${CODES[what]}m${text}\u001b[0m` : text;
  }
}

/** Characters shown of arguments and results. */
const SHORT = 240;

/** Adds a content to the page. @param who - The label of its text. */
export function showContent(page: Page, content: Content, who: Label, thoughts: boolean): void {
  const { parts } = content;
  const answered = content.role === "model" ? readCalls([content]).filter(({ response }) => response) : [];
  const own = new Set(answered.map(({ call }) => call));
  // Adjacent texts are one text that came in pieces.
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
    showPart(page, part, thoughts, own);
  }
  flush();
}

const BY_THE_SERVICE = ", by the service";

/** @param own - Calls that the service answered itself. */
function showPart(page: Page, part: Part, thoughts: boolean, own: ReadonlySet<FunctionCall>): void {
  if (part.thought === true) {
    if (thoughts) page.say("thought", part.text ?? "");
  } else if (part.functionCall !== undefined)
    page.say("call", `${formatCall(part.functionCall)}${own.has(part.functionCall) ? BY_THE_SERVICE : ""}`);
  else if (part.functionResponse !== undefined) showResponse(page, part.functionResponse);
  else showServiceWork(page, part);
}

/** Code execution and tools of the service, and media. */
function showServiceWork(page: Page, part: Part): void {
  const code: unknown = part.executableCode;
  const printed: unknown = part.codeExecutionResult;
  const call: unknown = part.toolCall;
  const response: unknown = part.toolResponse;
  if (isObject(code)) page.say("code", textIn(code, "code"));
  else if (isObject(printed)) page.say("printed", inOneLine(printed["output"] ?? printed["outcome"] ?? "", SHORT));
  else if (isObject(call))
    page.say("call", `${textIn(call, "toolType")}(${formatArgs(call["args"])})${BY_THE_SERVICE}`);
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
  // A log may hold anything here.
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

/** A text without anything that moves the cursor or changes colors. Line feeds stay; a tab becomes two spaces. */
export function printableLines(text: string): string {
  return printable(text.replaceAll(/\r\n?/g, "\n")).replaceAll("\t", "  ");
}

/** A text as lines of at most `width` columns, broken at spaces where possible. */
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
