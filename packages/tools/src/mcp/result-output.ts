import type { CallToolResult, ContentBlock, ReadResourceResult } from "@modelcontextprotocol/client";
import { type Media, media, type PartInput, ToolError } from "@pollux/core";

const MEDIA_KIND: Media["kind"] = "@pollux/media";

type ResourceContents = ReadResourceResult["contents"][number];

/** Media the model can see or hear; a request with anything else is rejected as a whole. */
const SEEN =
  /^(?:image\/(?:png|jpeg|webp|heic|heif)|audio\/(?:wav|x-wav|mp3|mpeg|aiff|aac|ogg|flac)|video\/(?:mp4|mpeg|quicktime|webm|wmv|3gpp)|application\/pdf)$/;
/** Binary content that is really text. */
const TEXT = /^text\/|[/+](?:json|xml|yaml)$/;

/**
 * What the model reads of a result: the structured content if there is any, otherwise the text; and media as media. Several
 * pieces become an array.
 *
 * @throws {ToolError} With the server's message, if it reports that the call failed.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result
 */
export function resultOutput(result: CallToolResult, tool: string): unknown {
  const { content, structuredContent, isError } = result;
  if (isError === true) throw new ToolError(failureText(content, structuredContent, tool));
  if (structuredContent === undefined) {
    const pieces = content.map(outputOf);
    return pieces.length === 1 ? pieces[0] : pieces;
  }
  // Servers repeat structured content as text for clients that don't support it.
  const rest = content.filter((block) => !(block.type === "text" && isRepeated(block.text, structuredContent)));
  return rest.length === 0 ? structuredContent : { structuredContent, content: rest.map(outputOf) };
}

function failureText(content: readonly ContentBlock[], structured: unknown, tool: string): string {
  const texts = content.flatMap((block) => (block.type === "text" && block.text.trim() !== "" ? [block.text] : []));
  if (texts.length > 0) return texts.join("\n");
  return structured === undefined ? `${tool} failed and did not say why` : JSON.stringify(structured);
}

function outputOf(block: ContentBlock): unknown {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return mediaOf(block.data, block.mimeType);
    case "resource":
      return resourceOutput(block.resource);
    case "resource_link": {
      const { uri, name, description, mimeType, size } = block;
      return { link: uri, name, description, mimeType, bytes: size };
    }
    default:
      // A newer kind of content: the model may still be able to use it.
      return block;
  }
}

/** What the model reads of a resource: its address, and its text or media. */
export function resourceOutput(resource: ResourceContents): unknown {
  const { uri, mimeType } = resource;
  const content = contentOf(resource);
  return { uri, mimeType, ...(isMedia(content) ? { content } : { text: content }) };
}

/** A resource's text, or its media where the model can take them. */
export function contentOf(resource: ResourceContents): string | Media {
  if ("text" in resource) return resource.text;
  const { blob, mimeType } = resource;
  if (TEXT.test(mimeType ?? "")) return Buffer.from(blob, "base64").toString("utf8");
  return mediaOf(blob, mimeType);
}

/** A piece of a prompt, as a part of a content. */
export function partOf(block: ContentBlock): PartInput {
  const output = block.type === "resource" ? contentOf(block.resource) : outputOf(block);
  if (isMedia(output)) return { inlineData: { mimeType: output.mimeType, data: output.data ?? "" } };
  return { text: typeof output === "string" ? output : JSON.stringify(output) };
}

function mediaOf(data: string, mimeType: string | undefined): string | Media {
  const type = mimeType?.split(";")[0]?.trim().toLowerCase() ?? "";
  const bytes = Buffer.byteLength(data, "base64");
  if (!SEEN.test(type)) return `[${bytes} bytes of ${type || "an unknown kind"}, which you cannot see]`;
  try {
    return media(data, type);
  } catch {
    return `[damaged ${type}]`;
  }
}

function isMedia(value: unknown): value is Media {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === MEDIA_KIND;
}

/** Whether the text repeats the structured content as JSON, or one of its fields. */
function isRepeated(text: string, structured: unknown): boolean {
  if (typeof structured === "object" && structured !== null && Object.values(structured).includes(text)) return true;
  try {
    return canonical(JSON.parse(text)) === canonical(structured);
  } catch {
    return false;
  }
}

/** JSON with sorted object keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
