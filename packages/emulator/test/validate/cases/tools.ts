import { expect } from "vitest";
import { type Case, contents, ROOT, parts, config, declare, schema, jsonSchema, F, FD } from "./build.ts";
import { HELLO, model, text, user } from "../request.ts";

const deep = (levels: number): unknown =>
  levels === 0 ? { type: "string" } : { type: "array", items: deep(levels - 1) };

const INVALID = "Request contains an invalid argument.";
const STATES = expect.stringMatching(
  /^The specified schema produces a constraint that has too many states for serving\. /,
) as unknown as string;
const SEARCH = { googleSearch: {} };
const members = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

export const TOOLS: readonly Case[] = [
  [
    "E-21",
    "an object without properties",
    { body: schema({ type: "OBJECT" }) },
    `${ROOT}.${FD}.parameters.properties: should be non-empty for OBJECT type`,
  ],
  [
    "E-21",
    "an empty object inside",
    { body: schema({ type: "OBJECT", properties: { a: { type: "OBJECT", properties: {} } } }) },
    `${ROOT}.${FD}.parameters.properties[a].properties: should be non-empty for OBJECT type`,
  ],
  [
    "E-21",
    "an empty response schema",
    { body: config({ responseMimeType: "application/json", responseSchema: { type: "OBJECT", properties: {} } }) },
    `${ROOT}.generation_config.response_schema.properties: should be non-empty for OBJECT type`,
  ],
  [
    "E-22",
    "an undefined required property",
    { body: schema({ type: "OBJECT", properties: { a: { type: "STRING" } }, required: ["a", "b"] }) },
    `${ROOT}.${FD}.parameters.required[1]: property is not defined`,
  ],
  [
    "E-23",
    "an array without items",
    { body: schema({ type: "OBJECT", properties: { a: { type: "ARRAY" } } }) },
    `${ROOT}.${FD}.parameters.properties[a].items: missing field.`,
  ],
  [
    "E-24",
    "an empty enum member",
    { body: schema({ type: "OBJECT", properties: { a: { type: "STRING", enum: ["x", ""] } } }) },
    `${ROOT}.${FD}.parameters.properties[a].enum[1]: cannot be empty`,
  ],
  [
    "E-24",
    "a number as enum member",
    { body: schema({ type: "OBJECT", properties: { a: { type: "INTEGER", enum: [1] } } }) },
    `Invalid value at '${FD}.parameters.properties[0].value.enum[0]' (TYPE_STRING), 1`,
  ],
  [
    "E-25",
    "properties of text",
    { body: schema({ type: "STRING", properties: { a: { type: "STRING" } } }) },
    `${ROOT}.${FD}.parameters.properties: only allowed for OBJECT type`,
  ],
  [
    "E-26",
    "no type",
    { body: schema({ type: "OBJECT", properties: { a: { description: "x" } } }) },
    `${ROOT}.${FD}.parameters.properties[a].type: must be specified`,
  ],
  [
    "E-28",
    "very long lists",
    {
      body: jsonSchema({
        type: "object",
        properties: { a: { type: "array", maxItems: 99_999, items: { type: "string" } } },
      }),
    },
    STATES,
  ],
  [
    "E-28",
    "very long lists on 3.1-flash-lite",
    {
      model: "gemini-3.1-flash-lite",
      body: jsonSchema({
        type: "object",
        properties: { a: { type: "array", maxItems: 99_999, items: { type: "string" } } },
      }),
    },
    INVALID,
  ],
  [
    "E-29",
    "deep nesting",
    { body: jsonSchema({ type: "object", properties: { a: deep(40) } }) },
    "A schema in the request exceeds the maximum allowed nesting depth.",
  ],
  [
    "E-29",
    "a required cycle",
    { body: jsonSchema({ type: "object", properties: { next: { $ref: "#" } }, required: ["next"] }) },
    "A schema in the request exceeds the maximum allowed nesting depth.",
  ],
  [
    "E-30",
    "ANY with over 15 functions on Gemma",
    {
      model: "gemma-4-31b-it",
      body: {
        ...declare(...members(16).map((name) => ({ name }))),
        toolConfig: { functionCallingConfig: { mode: "ANY" } },
      },
    },
    INVALID,
  ],
  [
    "E-30",
    "ANY with very many enum members",
    {
      body: {
        ...jsonSchema({ type: "object", properties: { a: { type: "string", enum: members(1_001) } } }),
        toolConfig: { functionCallingConfig: { mode: "ANY" } },
      },
    },
    INVALID,
  ],
  [
    "E-31",
    "a name with a space",
    { body: declare({ name: "get weather" }) },
    `${ROOT}.${FD}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.`,
  ],
  [
    "E-31",
    "a name of 65 characters",
    { body: declare({ name: "f".repeat(65) }) },
    `${ROOT}.${FD}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.`,
  ],
  ["E-32", "two of one name", { body: declare(F, F) }, "Duplicate function declaration found: f"],
  [
    "E-32b",
    "both kinds of schema",
    {
      body: declare({
        name: "f",
        parameters: { type: "OBJECT", properties: {} },
        parametersJsonSchema: { type: "object" },
      }),
    },
    `${ROOT}.${FD}: parameters and parameters_json_schema are mutually exclusive.`,
  ],
  [
    "E-32c",
    "text as arguments",
    { body: jsonSchema({ type: "string" }) },
    `${ROOT}.${FD}.parameters_json_schema: the root must be a schema of type object.`,
  ],
  [
    "E-33",
    "the older search",
    { body: { ...HELLO, tools: [{ googleSearchRetrieval: {} }] } },
    "google_search_retrieval is not supported; please use google_search field instead.",
  ],
  [
    "E-33",
    "the older search on Vertex",
    { profile: "vertex", body: { ...HELLO, tools: [{ googleSearchRetrieval: {} }] } },
    "Unable to submit request because google_search_retrieval is not supported; please use google_search field instead.",
  ],
  [
    "E-34",
    "search beside functions on 2.5",
    { model: "gemini-2.5-flash", body: { ...HELLO, tools: [SEARCH, { functionDeclarations: [F] }] } },
    "Tool use with function calling is unsupported",
  ],
  [
    "E-35",
    "search beside functions without the flag",
    { body: { ...HELLO, tools: [SEARCH, { functionDeclarations: [F] }] } },
    "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.",
  ],
  [
    "E-36",
    "tools beside a cache",
    { body: { ...declare(F), cachedContent: "cachedContents/x" } },
    "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request.",
  ],
  [
    "E-36",
    "tools beside a cache on Vertex",
    { profile: "vertex", body: { ...declare(F), cachedContent: "cachedContents/x" } },
    "Tool config, tools and system instruction should not be set in the request when using cached content.",
  ],
  [
    "E-37",
    "search beside functions on Vertex 2.5",
    {
      profile: "vertex",
      model: "gemini-2.5-flash",
      body: { ...HELLO, tools: [SEARCH, { functionDeclarations: [F] }] },
    },
    "Multiple tools are supported only when they are all search tools.",
  ],
  [
    "E-37",
    "search beside code on Vertex 2.5",
    { profile: "vertex", model: "gemini-2.5-flash", body: { ...HELLO, tools: [SEARCH, { codeExecution: {} }] } },
    "Multiple tools are supported only when they are all search tools.",
  ],
  [
    "E-38",
    "the flag on 2.5",
    {
      model: "gemini-2.5-flash",
      body: { ...HELLO, tools: [SEARCH], toolConfig: { includeServerSideToolInvocations: true } },
    },
    "Tool call context circulation is not enabled for models/gemini-2.5-flash",
  ],
  [
    "E-40",
    "a calling config without functions",
    {
      model: "gemini-2.5-flash",
      body: { ...HELLO, tools: [SEARCH], toolConfig: { functionCallingConfig: { mode: "AUTO" } } },
    },
    "Function calling config is set without function_declarations.",
  ],
  [
    "E-40b",
    "allowed names under AUTO",
    { body: { ...declare(F), toolConfig: { functionCallingConfig: { mode: "AUTO", allowedFunctionNames: ["f"] } } } },
    INVALID,
  ],
  [
    "E-40b",
    "an undeclared allowed name",
    { body: { ...declare(F), toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["g"] } } } },
    INVALID,
  ],
  [
    "E-41",
    "functions on a speech model",
    { model: "gemini-3.8-flash-tts", body: declare(F) },
    "Function calling is not enabled for models/gemini-3.8-flash-tts",
  ],
  [
    "E-41",
    "search on a speech model",
    { model: "gemini-3.8-flash-tts", body: { ...HELLO, tools: [SEARCH] } },
    "Search as tool is not enabled for models/gemini-3.8-flash-tts",
  ],
  [
    "E-41",
    "JSON from an image model",
    { model: "gemini-nano-banana-2.1", body: config({ responseMimeType: "application/json" }) },
    "JSON mode is not enabled for models/gemini-nano-banana-2.1",
  ],
  [
    "E-41",
    "instructions to a speech model",
    { model: "gemini-3.8-flash-tts", body: { ...HELLO, systemInstruction: { parts: [text("x")] } } },
    "Developer instruction is not enabled for models/gemini-3.8-flash-tts",
  ],
  [
    "E-41",
    "a conversation with a speech model",
    { model: "gemini-3.8-flash-tts", body: contents(user(text("a")), model(text("b")), user(text("c"))) },
    "Multiturn chat is not enabled for models/gemini-3.8-flash-tts",
  ],
  [
    "E-41",
    "a media resolution on 2.0",
    { model: "gemini-2.0-flash", body: config({ mediaResolution: "MEDIA_RESOLUTION_LOW" }) },
    "Media resolution is not enabled for models/gemini-2.0-flash",
  ],
  [
    "E-41",
    "a media resolution of one part on Gemma",
    {
      model: "gemma-4-31b-it",
      body: parts({
        inlineData: { mimeType: "image/png", data: "AAAA" },
        mediaResolution: { level: "MEDIA_RESOLUTION_HIGH" },
      }),
    },
    "Media resolution is not enabled for models/gemma-4-31b-it",
  ],
  [
    "E-41",
    "an image for a speech model",
    { model: "gemini-3.8-flash-tts", body: parts({ inlineData: { mimeType: "image/png", data: "AAAA" } }) },
    "Image input modality is not enabled for models/gemini-3.8-flash-tts",
  ],
  [
    "E-41",
    "audio for Gemma",
    { model: "gemma-4-31b-it", body: parts({ inlineData: { mimeType: "audio/wav", data: "AAAA" } }) },
    "Audio input modality is not enabled for models/gemma-4-31b-it",
  ],
  [
    "E-42",
    "functions with JSON on 2.5",
    { model: "gemini-2.5-flash", body: { ...declare(F), generationConfig: { responseMimeType: "application/json" } } },
    "Function calling with a response mime type: 'application/json' is unsupported",
  ],
  [
    "E-43",
    "search with JSON on 2.5",
    { model: "gemini-2.5-flash", body: { ...config({ responseMimeType: "application/json" }), tools: [SEARCH] } },
    "controlled generation is not supported with Search tool",
  ],
  [
    "E-43",
    "code with JSON on Vertex 2.5",
    {
      profile: "vertex",
      model: "gemini-2.5-flash",
      body: { ...config({ responseMimeType: "application/json" }), tools: [{ codeExecution: {} }] },
    },
    "Unable to submit request because controlled generation is not supported with Code Execution tool",
  ],
];
