import { type Case, contents, parts, config, declare, schema, jsonSchema, F, FD, TURN } from "./build.ts";
import { answer, call, HELLO, model, text, user } from "../request.ts";

const unknownName = (name: string, path?: string) =>
  `Invalid JSON payload received. Unknown name "${name}"${path ? ` at '${path}'` : ""}: Cannot find field.`;

export const FIELDS: readonly Case[] = [
  [
    "E-00",
    "bottomless nesting",
    { body: `{"contents":${"[".repeat(20_000)}${"]".repeat(20_000)}}` },
    "Invalid JSON payload received. Message too deep. Max recursion depth reached.",
  ],
  [
    "E-02",
    "a JSON Schema at an old proxy",
    { profile: "old-proxy", body: jsonSchema({ type: "object" }) },
    unknownName("parametersJsonSchema", FD),
  ],
  [
    "E-00",
    "half a body",
    { body: '{"contents": [{"role"' },
    "Invalid JSON payload received. Unexpected end of string. Expected , or } after key:value pair.",
  ],
  [
    "E-00",
    "something else than JSON",
    { body: "contents=hello" },
    "Invalid JSON payload received. Unexpected token.\ncontents=hello\n^",
  ],
  ["E-00", "a list", { body: [] }, 'Invalid JSON payload received. Unknown name "": Root element must be a message.'],
  ["E-01", "an unknown key", { body: { ...HELLO, foo: 1 } }, unknownName("foo")],
  [
    "E-01",
    "several unknown keys, in their order",
    { body: { foo: 1, ...HELLO, thinking_level: "LOW", bar: 1 } },
    [unknownName("foo"), unknownName("thinking_level"), unknownName("bar")].join("\n"),
  ],
  [
    "E-01",
    "a Vertex field on the Developer API",
    { body: { ...HELLO, modelArmorConfig: {} } },
    unknownName("modelArmorConfig"),
  ],
  [
    "E-01",
    "a Developer API field on Vertex",
    { profile: "vertex", body: { ...HELLO, store: true } },
    unknownName("store"),
  ],
  [
    "E-01",
    "tools on the old v1",
    { path: "/v1/models/gemini-3.8-flash:generateContent", strict: { oldV1: true }, body: declare(F) },
    unknownName("tools"),
  ],
  [
    "E-02",
    "an unknown key in a part",
    { body: parts({ text: "a", foo: 1 }) },
    unknownName("foo", "contents[0].parts[0]"),
  ],
  [
    "E-02",
    "snake_case paths",
    { body: config({ thinkingConfig: { foo_bar: 1 } }) },
    unknownName("foo_bar", "generation_config.thinking_config"),
  ],
  [
    "E-02",
    "a key that every object inherits",
    { body: parts({ text: "a", constructor: {} }) },
    unknownName("constructor", "contents[0].parts[0]"),
  ],
  [
    "E-03",
    "text for a number",
    { body: config({ temperature: "x" }) },
    `Invalid value at 'generation_config.temperature' (TYPE_FLOAT), "x"`,
  ],
  [
    "E-03",
    "a fraction for an integer",
    { body: config({ maxOutputTokens: 1.5 }) },
    "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), 1.5",
  ],
  [
    "E-03",
    "a number for text",
    { body: parts({ text: 1 }) },
    "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 1",
  ],
  [
    "E-03",
    "text for a message",
    { body: contents("hello") },
    `Invalid value at 'contents[0]' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content), "hello"`,
  ],
  [
    "E-03",
    "an unknown enum member",
    { body: schema({ type: "strng" }) },
    `Invalid value at '${FD}.parameters.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), "strng"`,
  ],
  [
    "E-03",
    "an unknown enum member on Vertex",
    { profile: "vertex", body: { ...HELLO, safetySettings: [{ category: "RUDE" }] } },
    `Invalid value at 'safety_settings[0].category' (type.googleapis.com/google.cloud.aiplatform.v1beta1.HarmCategory), "RUDE"`,
  ],
  [
    "E-03",
    "a duration without its unit",
    { body: parts({ text: "a", videoMetadata: { startOffset: "10" } }) },
    `Invalid value at 'contents[0].parts[0].video_metadata.start_offset' (type.googleapis.com/google.protobuf.Duration), "10"`,
  ],
  [
    "E-03b",
    "a list for a message",
    { body: { ...HELLO, generationConfig: [] } },
    'Invalid JSON payload received. Unknown name "generationConfig": Proto field is not repeating, cannot start list.',
  ],
  [
    "E-03b",
    "a list for a function's response",
    { body: contents(...TURN, user({ functionResponse: { name: "f", response: [1] } })) },
    `Invalid JSON payload received. Unknown name "response" at 'contents[2].parts[0].function_response': Proto field is not repeating, cannot start list.`,
  ],
  [
    "E-03c",
    "bad base64",
    { body: parts({ inlineData: { mimeType: "image/png", data: "data:image/png;base64,AA==" } }) },
    `Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for "data:image/png;base64,AA=="`,
  ],
  [
    "E-07",
    "two data keys",
    { body: parts({ text: "a", functionCall: { name: "f" } }) },
    "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set 'functionCall'",
  ],
  [
    "E-17",
    "an id at an old proxy",
    { profile: "old-proxy", body: contents(user(text("q")), model(call("f", "a")), user(answer("f", "a"))) },
    [
      unknownName("id", "contents[1].parts[0].function_call"),
      unknownName("id", "contents[2].parts[0].function_response"),
    ].join("\n"),
  ],
  [
    "E-18",
    "text for a function's response",
    { body: contents(...TURN, user({ functionResponse: { name: "f", response: "x" } })) },
    `Invalid value at 'contents[2].parts[0].function_response.response' (type.googleapis.com/google.protobuf.Struct), "x"`,
  ],
  [
    "E-18",
    "no response in a function's response",
    { body: contents(...TURN, user({ functionResponse: { name: "f" } })) },
    "Invalid value at 'contents[2].parts[0].function_response.response' (type.googleapis.com/google.protobuf.Struct), null",
  ],
  [
    "E-20",
    "additionalProperties",
    { body: schema({ type: "OBJECT", properties: { a: { type: "STRING" } }, additionalProperties: false }) },
    unknownName("additionalProperties", `${FD}.parameters`),
  ],
  [
    "E-20",
    "keywords further down, by the index of the property",
    { body: schema({ type: "OBJECT", properties: { a: { type: "STRING" }, b: { type: "STRING", const: "x" } } }) },
    unknownName("const", `${FD}.parameters.properties[1].value`),
  ],
  [
    "E-20",
    "keywords of the response schema",
    { body: config({ responseMimeType: "application/json", responseSchema: { $schema: "x", type: "STRING" } }) },
    unknownName("$schema", "generation_config.response_schema"),
  ],
  [
    "E-27",
    "a list of types",
    { body: schema({ type: ["STRING", "NULL"] }) },
    `Invalid JSON payload received. Unknown name "type" at '${FD}.parameters': Proto field is not repeating, cannot start list.`,
  ],
  [
    "E-39",
    "the flag on Vertex",
    { profile: "vertex", body: { ...HELLO, toolConfig: { includeServerSideToolInvocations: true } } },
    unknownName("includeServerSideToolInvocations", "tool_config"),
  ],
  [
    "E-54",
    "a signature in the call",
    {
      body: contents(
        user(text("q")),
        model({ functionCall: { name: "f", thoughtSignature: "AAAA" } }),
        user(answer("f")),
      ),
    },
    unknownName("thoughtSignature", "contents[1].parts[0].function_call"),
  ],
  [
    "E-66",
    "thinkingLevel beside the config",
    { body: config({ thinkingLevel: "LOW" }) },
    unknownName("thinkingLevel", "generation_config"),
  ],
];
