import { z } from "zod";

/**
 * The JSON schemas of the conventions for messages, instructions and tool definitions, stated by kind of part. They allow further
 * fields and kinds; the schemas here reject unknown kinds, so that none is made by accident.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model/gen-ai
 */
const modality = z.enum(["image", "video", "audio", "document"]);
const id = z.string().optional();
const details = z.looseObject({ type: z.string() });

const part = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), content: z.string() }),
  z.strictObject({ type: z.literal("reasoning"), content: z.string() }),
  z.strictObject({ type: z.literal("tool_call"), id, name: z.string(), arguments: z.json() }),
  z.strictObject({ type: z.literal("tool_call_response"), id, name: z.string(), response: z.json() }),
  z.strictObject({ type: z.literal("server_tool_call"), id, name: z.string(), server_tool_call: details }),
  z.strictObject({ type: z.literal("server_tool_call_response"), id, server_tool_call_response: details }),
  z.strictObject({ type: z.literal("blob"), mime_type: z.string(), modality, content: z.string() }),
  z.strictObject({ type: z.literal("uri"), mime_type: z.string().optional(), modality, uri: z.string() }),
]);

const input = z.array(z.strictObject({ role: z.enum(["user", "assistant", "tool"]), parts: z.array(part) }));
const output = z.array(z.strictObject({ role: z.literal("assistant"), parts: z.array(part) }));
const instructions = z.array(z.strictObject({ type: z.literal("text"), content: z.string() }));
const definitions = z.array(
  z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("function"),
      name: z.string(),
      description: z.string(),
      parameters: z.record(z.string(), z.json()).optional(),
    }),
    z.strictObject({ type: z.literal("server_tool"), name: z.string() }),
  ]),
);

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  "gen_ai.input.messages": input,
  "gen_ai.output.messages": output,
  "gen_ai.system_instructions": instructions,
  "gen_ai.tool.definitions": definitions,
};

/** Parses the content attributes of a span. @throws If one of them is not a string of the JSON that the conventions ask for. */
export function parseContent(attributes: { readonly [name: string]: unknown }): Readonly<Record<string, unknown>> {
  const parsed: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const value = attributes[name];
    if (value !== undefined) parsed[name] = schema.parse(JSON.parse(z.string().parse(value)));
  }
  return parsed;
}
