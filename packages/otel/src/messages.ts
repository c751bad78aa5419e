import type { Content, Part } from "@pollux/core";
import type { ModelRequest } from "@pollux/core/model";
import type { ContentWriter } from "./content-writer.ts";

/** Contents, instructions and declarations in the shapes of the conventions. Signatures are never part of them, and media never whole. */

/** A message of the conventions. */
export interface Message {
  readonly role: "user" | "assistant" | "tool";
  readonly parts: readonly MessagePart[];
}

/** A part of a {@link Message}: JSON with a `type`. */
export type MessagePart = { readonly type: string; readonly [key: string]: unknown };

/** A content as messages: the responses to calls have their own role. */
export function messagesOf({ role, parts }: Content, writer: ContentWriter): readonly Message[] {
  if (role === "model") return [{ role: "assistant", parts: parts.flatMap((part) => partOf(part, writer)) }];
  const responses = parts.filter(({ functionResponse }) => functionResponse !== undefined);
  const others = parts.filter(({ functionResponse }) => functionResponse === undefined);
  return [
    ...(responses.length > 0
      ? [{ role: "tool" as const, parts: responses.flatMap((part) => partOf(part, writer)) }]
      : []),
    ...(others.length > 0 ? [{ role: "user" as const, parts: others.flatMap((part) => partOf(part, writer)) }] : []),
  ];
}

/** System instructions as the conventions have them. */
export function instructionsOf(instructions: string, writer: ContentWriter): readonly MessagePart[] {
  return [{ type: "text", content: writer.text(instructions) }];
}

/** Functions, and the tools that the service runs. */
export function definitionsOf({ functions, builtIns }: ModelRequest, writer: ContentWriter): readonly MessagePart[] {
  const declared = functions.map(({ name, description, parametersJsonSchema, parameters }) => {
    const schema = parametersJsonSchema ?? parameters;
    return {
      type: "function",
      name,
      description: writer.text(description),
      ...(schema !== undefined && { parameters: writer.json(schema) }),
    };
  });
  const served = builtIns.flatMap((tool) => Object.keys(tool).map((name) => ({ type: "server_tool", name })));
  return [...declared, ...served];
}

/** Nothing for a part that only has a signature. */
function partOf(part: Part, writer: ContentWriter): readonly MessagePart[] {
  const { text, inlineData, fileData, functionCall, functionResponse, executableCode, codeExecutionResult } = part;
  if (text !== undefined) {
    if (text === "") return [];
    return [{ type: part.thought === true ? "reasoning" : "text", content: writer.text(text) }];
  }
  if (functionCall !== undefined) {
    const { id, name, args = {} } = functionCall;
    return [{ type: "tool_call", ...idOf(id), name, arguments: writer.json(args) }];
  }
  if (functionResponse !== undefined) {
    const { id, name, response } = functionResponse;
    return [{ type: "tool_call_response", ...idOf(id), name, response: writer.json(response) }];
  }
  if (inlineData !== undefined) {
    const { mimeType, data } = inlineData;
    return [{ type: "blob", mime_type: mimeType, modality: modalityOf(mimeType), content: `[${bytesOf(data)} bytes]` }];
  }
  if (fileData !== undefined) {
    const { fileUri, mimeType } = fileData;
    return [
      {
        type: "uri",
        uri: writer.text(fileUri),
        modality: modalityOf(mimeType),
        ...(mimeType !== undefined && { mime_type: mimeType }),
      },
    ];
  }
  if (executableCode !== undefined) {
    const { id, code, language } = executableCode;
    const call = { type: "code_interpreter", code: writer.text(code), ...(language !== undefined && { language }) };
    return [{ type: "server_tool_call", ...idOf(id), name: "code_execution", server_tool_call: call }];
  }
  if (codeExecutionResult !== undefined) {
    const { id, outcome, output = "" } = codeExecutionResult;
    const response = { type: "code_interpreter", outcome, output: writer.text(output) };
    return [{ type: "server_tool_call_response", ...idOf(id), server_tool_call_response: response }];
  }
  return serverPartOf(part, writer);
}

/** Calls that the service answered itself, and kinds of parts that this library doesn't know: those keep their name only. */
function serverPartOf(part: Part, writer: ContentWriter): readonly MessagePart[] {
  const { toolCall, toolResponse } = part;
  if (toolCall !== undefined) {
    const { id, toolType, args } = toolCall;
    const type = toolType.toLowerCase();
    const call = { type, ...(args !== undefined && { arguments: writer.json(args) }) };
    return [{ type: "server_tool_call", ...idOf(id), name: type, server_tool_call: call }];
  }
  if (toolResponse !== undefined) {
    const { id, toolType, response: output } = toolResponse;
    const response = { type: toolType.toLowerCase(), ...(output !== undefined && { response: writer.json(output) }) };
    return [{ type: "server_tool_call_response", ...idOf(id), server_tool_call_response: response }];
  }
  const kind = Object.keys(part).find((key) => key !== "thought" && key !== "thoughtSignature");
  return kind === undefined ? [] : [{ type: kind }];
}

function idOf(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id };
}

function modalityOf(mimeType: string | undefined): string {
  const [kind = ""] = mimeType?.split("/") ?? [];
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "document";
}

/** Size of base64 when decoded. */
function bytesOf(base64: string): number {
  const { length } = base64.replace(/={1,2}$/, "");
  return Math.floor((length * 3) / 4);
}
