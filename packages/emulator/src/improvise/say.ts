import type { FunctionResponse, Part } from "@pollux/core/wire";
import type { UploadedFile } from "../files/file-options.ts";
import { isFields } from "../internal/json.ts";

/** Start of every improvised answer, so that it isn't mistaken for a model's. */
export const EMULATED = "[emulated]";

const MAX_VALUES = 6;
/** Longer lists are only counted. */
const MAX_ITEMS = 3;
const MAX_CHARACTERS = 160;

/** Puts the function responses into words. */
export function sayResponses(responses: readonly FunctionResponse[]): string {
  return responses
    .map(({ name, response }) => {
      if ("error" in response) return `${name} failed: ${shown(response["error"])}.`;
      const values = leaves("", "output" in response ? response["output"] : response);
      const said = values.slice(0, MAX_VALUES).join(", ");
      const more = values.length > MAX_VALUES ? ` and ${values.length - MAX_VALUES} more values` : "";
      return `${name} says ${said === "" ? "nothing" : said}${more}.`;
    })
    .join(" ");
}

/** Names the images and files in the prompt, with type and size. */
export function sayMedia(parts: readonly Part[], files: readonly UploadedFile[] = []): string {
  return parts
    .map(({ inlineData, fileData }) => {
      if (inlineData !== undefined)
        return ` I was given ${inlineData.mimeType} of ${Buffer.from(inlineData.data, "base64").length} bytes.`;
      if (fileData === undefined) return "";
      const file = files.find(({ uri }) => uri === fileData.fileUri);
      if (file === undefined) return ` I was given the file ${fileData.fileUri}.`;
      return ` I was given the file ${file.displayName || file.name}: ${file.mimeType} of ${file.sizeBytes} bytes.`;
    })
    .join("");
}

/** A prompt on one line, truncated if long. */
export function quote(prompt: string): string {
  const line = prompt.replaceAll(/\s+/g, " ").trim();
  const characters = Array.from(line);
  return `“${characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS).join("")}…` : line}”`;
}

function leaves(path: string, value: unknown): string[] {
  const at = (key: string | number): string => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(value) && value.length > MAX_ITEMS) return [listed(path, value)];
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(at(index + 1), item));
  if (isFields(value)) return Object.entries(value).flatMap(([key, item]) => leaves(at(key), item));
  return [path === "" ? shown(value) : `${path} ${shown(value)}`];
}

/** A long list as its length and the names of its first items. */
function listed(path: string, items: readonly unknown[]): string {
  const names = items
    .slice(0, MAX_ITEMS)
    .map((item) => shown(isFields(item) ? (Object.values(item)[0] ?? "{}") : item));
  return `${path === "" ? "" : `${path} with `}${items.length} items (${names.join(", ")}, …)`;
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  const characters = Array.from(text.replaceAll(/\s+/g, " "));
  return characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS).join("")}…` : characters.join("");
}
