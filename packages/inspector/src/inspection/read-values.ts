/** An object of unknown members: a log may hold anything, and the inspector shows unreadable values as they are. */
export type Fields = { readonly [key: string]: unknown };

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object; an empty one if it is not an object. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NONE;
}

const NONE: Fields = {};

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An error from a log. */
export function readError({ name, message, code }: Fields): ReadError {
  return { name: textOf(name) ?? "Error", message: textOf(message) ?? "", code: textOf(code) };
}

export interface ReadError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
}

/** Undefined for invalid JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Most characters of a row's text. */
const WORDS = 160;

/** The first words of a text, on one line. */
export function firstWords(text: string, length: number = WORDS): string {
  const line = text
    .slice(0, length * 4)
    .replaceAll(/\s+/g, " ")
    .trim();
  if (line.length <= length) return line.length === text.length || text.length <= length * 4 ? line : `${line}…`;
  return `${line.slice(0, isHighSurrogate(line.charCodeAt(length - 1)) ? length - 1 : length)}…`;
}

/** True for the first half of a surrogate pair. */
export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** The visible text of contents, or their thoughts; only as much as a row shows. */
export function textIn(contents: readonly unknown[], kind: "text" | "thought" = "text"): string {
  let text = "";
  for (const content of contents)
    for (const part of listOf(fieldsOf(content)["parts"])) {
      const { text: piece, thought } = fieldsOf(part);
      if (typeof piece !== "string" || (thought === true) !== (kind === "thought")) continue;
      text += text === "" ? piece : `\n${piece}`;
      if (text.length > WORDS * 4) return text;
    }
  return text;
}

/** Size of decoded base64, standard or URL-safe. */
export function base64Bytes(data: string): number {
  const padding = data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0;
  return Math.max(0, Math.floor((data.length * 3) / 4) - (data.length % 4 === 0 ? padding : 0));
}

const GOOGLE = "https://generativelanguage.googleapis.com";

/** The address of a kept request. Recordings have only the path, and damaged logs anything: the default is Google's API. */
export function requestAddress(url: string): URL {
  return new URL(URL.canParse(url, GOOGLE) ? url : "/", GOOGLE);
}
