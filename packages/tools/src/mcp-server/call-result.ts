import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/server";
import type { FunctionCall, JsonObject, Logger, Tool, ToolOutcome } from "@pollux/core";
import { functionResponse } from "@pollux/core/tool";

/**
 * An outcome in MCP's form: JSON as text, objects also as structured content, media as images, audio or resources, a
 * failure as `isError`. An output without a JSON form is logged. Results are truncated as they are for a model.
 */
export function callResult(call: FunctionCall, tool: Tool, outcome: ToolOutcome, logger: Logger): CallToolResult {
  const { part, after, refused } = functionResponse(call, outcome, {
    mediaInFunctionResponses: true,
    maxResultBytes: tool.maxResultBytes,
  });
  const response: JsonObject = part.functionResponse?.response ?? {};
  if (refused !== undefined) logger.error({ err: refused, tool: tool.name }, "tool failed");
  if (!outcome.ok || refused !== undefined)
    return { content: [{ type: "text", text: String(response["error"]) }], isError: true };
  const output = response["output"];
  const text = typeof output === "string" ? output : JSON.stringify(output ?? null);
  const media = [...(part.functionResponse?.parts ?? []), ...after].flatMap((piece, index) => mediaBlock(piece, index));
  const isRecord = typeof output === "object" && output !== null && !Array.isArray(output);
  return {
    content: [{ type: "text", text }, ...media],
    ...(isRecord && { structuredContent: output }),
  };
}

interface MediaPiece {
  readonly inlineData?: { readonly mimeType: string; readonly data: string } | undefined;
  readonly fileData?: { readonly mimeType?: string | undefined; readonly fileUri: string } | undefined;
}

function mediaBlock({ inlineData, fileData }: MediaPiece, index: number): ContentBlock[] {
  if (fileData !== undefined) {
    const { fileUri, mimeType } = fileData;
    return [{ type: "resource_link", uri: fileUri, name: fileUri, ...(mimeType && { mimeType }) }];
  }
  if (inlineData === undefined) return [];
  const { mimeType, data } = inlineData;
  if (mimeType.startsWith("image/")) return [{ type: "image", mimeType, data }];
  if (mimeType.startsWith("audio/")) return [{ type: "audio", mimeType, data }];
  return [{ type: "resource", resource: { uri: `pollux://result/${index}`, mimeType, blob: data } }];
}
