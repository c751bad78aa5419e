import type { Content, Part } from "../../wire/types/content.ts";

/** A part as `Part`, or as Google's SDK types it: with every member optional. */
export interface PartInput extends Optional<Part> {}

/** A content as `Content`, or as Google's SDK types it: with every member optional, and any string as its role. */
export interface ContentInput {
  /** `user` or `model`. @defaultValue "user" */
  readonly role?: string | undefined;
  /** @defaultValue none: the content is left out */
  readonly parts?: readonly PartInput[] | undefined;
}

type Optional<T> = T extends readonly (infer Item)[]
  ? readonly Optional<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]?: Optional<T[Name]> | undefined }
    : T;

/**
 * Contents as the API takes them. Those that are already so are the same objects. One without parts, such as an empty answer that
 * Google's SDK keeps in its history, is left out.
 *
 * @throws {TypeError} For a message of another format, and a role that does not exist.
 */
export function readContents(contents: readonly ContentInput[]): readonly Content[] {
  return contents.flatMap((content, index) => (isContent(content) ? content : readContent(content, index)));
}

function isContent(content: ContentInput): content is Content {
  return (content.role === "user" || content.role === "model") && Array.isArray(content.parts);
}

function readContent(content: ContentInput, index: number): readonly Content[] {
  const { role = "user", parts } = content;
  const where = `contents[${index}]`;
  if (role !== "user" && role !== "model")
    throw new TypeError(`${where} has the role "${role}": ${INSTEAD[role] ?? 'use "user" or "model"'}`);
  const read = { role, parts };
  if (isContent(read)) return [read];
  if (!("content" in content) && (parts === undefined || parts === null)) return [];
  throw new TypeError(`${where} has no list of parts: write { role: "${role}", parts: [{ text: "…" }] }`);
}

/** Advice for roles of other vendors. */
export const INSTEAD: Readonly<Record<string, string | undefined>> = {
  assistant: 'say "model"',
  system: "pass it to the agent as instructions",
  developer: "pass it to the agent as instructions",
  tool: 'use "user", with functionResponse parts',
  function: 'use "user", with functionResponse parts',
};
