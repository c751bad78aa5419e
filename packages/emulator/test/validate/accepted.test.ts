import { describe, expect, test } from "vitest";
import { answer, ask, type Asked, call, HELLO, model, outcome, text, user } from "./request.ts";

const FN = { functionDeclarations: [{ name: "f" }] };
const SEARCH = { googleSearch: {} };
const SKIP = "skip_thought_signature_validator";
const ENGINEERING = "context_engineering_is_the_way_to_go";
const contents = (...items: readonly unknown[]) => ({ contents: items });
const config = (generationConfig: unknown) => ({ ...HELLO, generationConfig });
const step = (signature: string, more: readonly unknown[] = []) =>
  contents(user(text("q")), model(call("f", "a", signature)), user(answer("f", "a")), ...more);

const BODIES: readonly (readonly [string, Asked])[] = [
  [
    "snake_case names everywhere",
    {
      body: {
        system_instruction: { parts: [text("x")] },
        contents: [user(text("q"))],
        tools: [{ function_declarations: [{ name: "f", parameters_json_schema: { type: "object" } }] }],
        tool_config: { function_calling_config: { mode: "any", allowed_function_names: ["f"] } },
        generation_config: { max_output_tokens: 5, thinking_config: { thinking_level: "low" } },
      },
    },
  ],
  [
    "text instead of a response, on 2.0",
    { model: "gemini-2.0-flash", body: contents(user(text("q")), model(call("f")), user(text("never mind"))) },
  ],
  [
    "text after an unanswered call in one content, on 2.0",
    { model: "gemini-2.0-flash", body: contents(user(text("q")), model(call("f"), text("well")), user(text("?"))) },
  ],
  [
    "functions with JSON output, on 2.0",
    { model: "gemini-2.0-flash", body: { ...config({ responseMimeType: "application/json" }), tools: [FN] } },
  ],
  [
    "a thinking config on the 2.0 model that thinks",
    {
      model: "gemini-2.0-flash-thinking-exp-01-21",
      body: config({ thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } }),
    },
  ],
  ...["gemini-2.5-flash", "gemini-3.8-flash"].flatMap((id): readonly (readonly [string, Asked])[] => {
    const said = [call("f", undefined, "SIG1"), answer("f"), text("It is 1.")];
    return [
      [
        `a call that the service answered itself, in one content (${id})`,
        { model: id, body: contents(user(text("q")), model(...said), user(text("and?"))) },
      ],
      [
        `a call that the service answered itself, in a content each (${id})`,
        { model: id, body: contents(user(text("q")), ...said.map((part) => model(part)), user(text("and?"))) },
      ],
      [
        `a call that the service answered itself beside one for the client (${id})`,
        {
          model: id,
          body: contents(
            user(text("q")),
            model(call("f", "a", "SIG1"), answer("f", "a"), call("f", "b")),
            user(answer("f", "b")),
          ),
        },
      ],
    ];
  }),
  [
    "null for fields of parts",
    {
      body: contents(
        user({ text: "q", functionCall: null }, { text: null, inlineData: { mimeType: "image/png", data: "AAAA" } }),
      ),
    },
  ],
  ["parts as an object", { body: { contents: { role: "user", parts: { text: "q" } } } }],
  ["tools as an object", { body: { ...HELLO, tools: FN } }],
  [
    "null for messages",
    { body: { ...HELLO, safetySettings: null, toolConfig: null, generationConfig: null, systemInstruction: null } },
  ],
  [
    "integers, numbers and booleans as strings",
    { body: config({ maxOutputTokens: "100", temperature: "0.5", thinkingConfig: { includeThoughts: "true" } }) },
  ],
  ["enum members by number", { body: { ...HELLO, tools: [FN], toolConfig: { functionCallingConfig: { mode: 1 } } } }],
  [
    "schema types in lower case",
    {
      body: {
        ...HELLO,
        tools: [
          {
            functionDeclarations: [
              { name: "f", parameters: { type: "object", properties: { a: { type: "string" } } } },
            ],
          },
        ],
      },
    },
  ],
  [
    "an empty object at the root of parameters",
    {
      body: {
        ...HELLO,
        tools: [{ functionDeclarations: [{ name: "f", parameters: { type: "OBJECT", properties: {} } }] }],
      },
    },
  ],
  [
    "anyOf without a type",
    {
      body: {
        ...HELLO,
        tools: [
          {
            functionDeclarations: [
              {
                name: "f",
                parameters: { type: "OBJECT", properties: { a: { anyOf: [{ type: "STRING" }, { type: "NULL" }] } } },
              },
            ],
          },
        ],
      },
    },
  ],
  [
    "any keyword in a JSON Schema",
    {
      body: {
        ...HELLO,
        tools: [
          {
            functionDeclarations: [
              {
                name: "f",
                parametersJsonSchema: {
                  $schema: "x",
                  type: ["object", "null"],
                  additionalProperties: false,
                  properties: { a: { const: 1, $ref: "#/$defs/a" } },
                  $defs: { a: { not: {} } },
                },
              },
            ],
          },
        ],
      },
    },
  ],
  [
    "a cycle through optional properties",
    {
      body: {
        ...HELLO,
        tools: [
          {
            functionDeclarations: [
              { name: "f", parametersJsonSchema: { type: "object", properties: { next: { $ref: "#" } } } },
            ],
          },
        ],
      },
    },
  ],
  [
    "a cycle through a list",
    {
      body: {
        ...HELLO,
        tools: [
          {
            functionDeclarations: [
              {
                name: "f",
                parametersJsonSchema: {
                  type: "object",
                  properties: { children: { type: "array", items: { $ref: "#" } } },
                  required: ["children"],
                },
              },
            ],
          },
        ],
      },
    },
  ],
  ["thought: false on ordinary parts", { body: contents(user({ text: "q", thought: false })) }],
  ["no role on the Developer API", { body: contents({ parts: [text("q")] }) }],
  ["no role at the gateway", { profile: "comet", body: contents({ parts: [text("q")] }) }],
  ["two user contents in a row", { body: contents(user(text("a")), user(text("b"))) }],
  ["text in a content of its own after the responses", { body: step("SIG1", [user(text("go on"))]) }],
  [
    "text before the responses",
    { body: contents(user(text("q")), model(call("f", "a", "SIG1")), user(text("here"), answer("f", "a"))) },
  ],
  [
    "text after a response on 3.5-flash",
    {
      model: "gemini-3.5-flash",
      body: contents(user(text("q")), model(call("f", "a", "SIG1")), user(answer("f", "a"), text("go on"))),
    },
  ],
  [
    "text after a response on Vertex 2.5",
    {
      profile: "vertex",
      model: "gemini-2.5-flash",
      body: contents(user(text("q")), model(call("f")), user(answer("f"), text("go on"))),
    },
  ],
  [
    "calls in two model contents, answered in one",
    {
      model: "gemini-3-flash-preview",
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1")),
        model(call("f", "b")),
        user(answer("f", "a"), answer("f", "b")),
      ),
    },
  ],
  [
    "answers in several contents on 2.5",
    {
      model: "gemini-2.5-flash",
      body: contents(
        user(text("q")),
        model(call("f"), call("g")),
        user(answer("f")),
        user(answer("g")),
        user(text("go on")),
      ),
    },
  ],
  [
    "answers in another order, by id",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1"), call("f", "b")),
        user(answer("f", "b"), answer("f", "a")),
      ),
    },
  ],
  [
    "ids that do not match before 3.5",
    {
      model: "gemini-3-flash-preview",
      body: contents(user(text("q")), model(call("f", "a", "SIG1")), user(answer("f", "other"))),
    },
  ],
  [
    "role function before 3",
    {
      model: "gemini-2.5-flash",
      body: contents(user(text("q")), model(call("f")), { role: "function", parts: [answer("f")] }),
    },
  ],
  [
    "role function on 3.1",
    {
      model: "gemini-3.1-pro-preview",
      body: contents(user(text("q")), model(call("f", "a", "SIG1")), { role: "function", parts: [answer("f")] }),
    },
  ],
  [
    "a trailing model turn where prefill works (E-13b)",
    { model: "gemini-3.5-flash", body: contents(user(text("q")), model(text("The answer"))) },
  ],
  [
    "an empty text of the model on Vertex 2.0",
    { profile: "vertex", model: "gemini-2.0-flash", body: contents(user(text("q")), model(text("")), user(text("r"))) },
  ],
  [
    "an empty response object",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1")),
        user({ functionResponse: { id: "a", name: "f", response: {} } }),
      ),
    },
  ],
  [
    "media in a response",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1")),
        user({
          functionResponse: {
            id: "a",
            name: "f",
            response: {},
            parts: [{ inlineData: { mimeType: "image/png", data: "AA_-" } }],
          },
        }),
      ),
    },
  ],
  [
    "a signed thought without text",
    { body: contents(user(text("q")), model({ thought: true, thoughtSignature: "SIG1" }), user(text("r"))) },
  ],
  [
    "unsigned calls on 2.5",
    { model: "gemini-2.5-flash", body: contents(user(text("q")), model(call("f")), user(answer("f"))) },
  ],
  [
    "unsigned and foreign signatures before the current turn",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a")),
        user(answer("f", "a")),
        model({ text: "done", thoughtSignature: "AAAA" }),
        user(text("next")),
      ),
    },
  ],
  [
    "parallel calls of which only the first is signed",
    {
      body: contents(
        user(text("q")),
        model(call("f", "a", "SIG1"), call("g", "b")),
        user(answer("f", "a"), answer("g", "b")),
      ),
    },
  ],
  ["the dummy, raw (E-53)", { body: step(SKIP) }],
  ["the dummy, raw, on Vertex (E-53)", { profile: "vertex", body: step(SKIP) }],
  ["the dummy in base64 (E-53)", { body: step(btoa(SKIP)) }],
  ["the dummy in URL-safe base64 without padding (E-53)", { body: step(btoa(SKIP).replaceAll("=", "")) }],
  ["the other dummy on the Developer API (E-53)", { body: step(ENGINEERING) }],
  ["the other dummy in base64 on the Developer API (E-53)", { body: step(btoa(ENGINEERING)) }],
  [
    "a text signature on another text",
    {
      body: contents(
        user(text("q")),
        model({ text: "a", thoughtSignature: "moved123" }, call("f", "a", "SIG1")),
        user(answer("f", "a")),
      ),
    },
  ],
  [
    "search beside functions with the flag",
    {
      body: {
        ...HELLO,
        tools: [SEARCH, FN],
        toolConfig: { includeServerSideToolInvocations: true, functionCallingConfig: { mode: "VALIDATED" } },
      },
    },
  ],
  [
    "search beside functions on Vertex 3 without a flag",
    { profile: "vertex", body: { ...HELLO, tools: [SEARCH, FN] } },
  ],
  [
    "search alone with a calling config from 3 on",
    { body: { ...HELLO, tools: [SEARCH], toolConfig: { functionCallingConfig: { mode: "AUTO" } } } },
  ],
  [
    "several built-in tools on the Developer API 2.5",
    { model: "gemini-2.5-flash", body: { ...HELLO, tools: [SEARCH, { urlContext: {} }] } },
  ],
  [
    "the older search on 1.5",
    {
      model: "gemini-1.5-flash",
      body: {
        ...HELLO,
        tools: [{ googleSearchRetrieval: { dynamicRetrievalConfig: { mode: "MODE_DYNAMIC", dynamicThreshold: 0.3 } } }],
      },
    },
  ],
  [
    "functions with JSON from 3 on",
    {
      body: {
        ...HELLO,
        tools: [FN],
        generationConfig: { responseMimeType: "application/json", responseJsonSchema: { type: "object" } },
      },
    },
  ],
  ["a long unary answer of Hydrogen", { model: "gemini-4-hydrogen", body: config({ maxOutputTokens: 65_536 }) }],
  [
    "a long streamed answer of Gemini 4",
    { model: "gemini-4-argon", verb: "streamGenerateContent", body: config({ maxOutputTokens: 400_000 }) },
  ],
  [
    "a long unary answer of Gemini 4 that goes on",
    { model: "gemini-4-argon", body: { ...config({ maxOutputTokens: 400_000 }), continuationToken: "1.abc" } },
  ],
  ...[
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
  ].map((mimeType): readonly [string, Asked] => [
    `${mimeType} on Hydrogen`,
    {
      model: "gemini-4-hydrogen",
      body: {
        contents: [user({ inlineData: { mimeType, data: "AAAA" } }, { fileData: { mimeType, fileUri: "gs://b/f" } })],
      },
    },
  ]),
  ["xhigh on Hydrogen", { model: "gemini-4-hydrogen", body: config({ thinkingConfig: { thinkingLevel: "xhigh" } }) }],
  ["a budget on 3.8", { body: config({ thinkingConfig: { thinkingBudget: 512 } }) }],
  [
    "no thinking on 2.0 said politely",
    { model: "gemini-2.0-flash", body: config({ thinkingConfig: { includeThoughts: false } }) },
  ],
  [
    "penalties and logprobs on Vertex",
    { profile: "vertex", model: "gemini-2.5-pro", body: config({ presencePenalty: 1, responseLogprobs: true }) },
  ],
  ["two candidates on 2.5", { model: "gemini-2.5-flash", body: config({ candidateCount: 2 }) }],
  [
    "a whole request to count",
    { verb: "countTokens", body: { generateContentRequest: { model: "models/x", ...HELLO, tools: [FN] } } },
  ],
  [
    "no ids at an old proxy",
    {
      profile: "old-proxy",
      model: "gemini-2.5-flash",
      body: contents(user(text("q")), model(call("f")), user(answer("f"))),
    },
  ],
];

const CALLERS: readonly (readonly [string, Asked])[] = [
  ["a key in the query", { headers: {}, path: "/v1beta/models/gemini-3.8-flash:generateContent?key=abc" }],
  ["an OAuth token on the Developer API", { headers: { authorization: "Bearer ya29.token" } }],
  ["a token on Vertex", { profile: "vertex", headers: { authorization: "Bearer token" } }],
  [
    "a key on Vertex without a project",
    { profile: "vertex", path: "/v1beta1/publishers/google/models/gemini-3.8-flash:generateContent" },
  ],
  ["a Bearer key at the gateway", { profile: "comet", headers: { authorization: "Bearer sk-1" } }],
  ["a key without the word Bearer at the gateway", { profile: "comet", headers: { authorization: "sk-1" } }],
  ["a key header at the gateway", { profile: "comet" }],
  ["a Bearer key at an old proxy", { profile: "old-proxy", headers: { authorization: "Bearer sk-1" } }],
  ["a listed key that looks bad", { keys: ["bad"], headers: { "x-goog-api-key": "bad" } }],
  ["v1", { profile: "developer-v1", path: "/v1/models/gemini-3.8-flash:generateContent" }],
  ["an escaped colon", { path: "/v1beta/models/gemini-3.8-flash%3AgenerateContent" }],
  ["the list of models", { method: "GET", path: "/v1beta/models?pageSize=5" }],
  ["one model", { method: "GET", path: "/v1beta/models/gemini-3.8-flash" }],
  ["an unknown Gemini, if asked for", { model: "gemini-5-neon", strict: { extraModels: "gemini" } }],
  ["a named extra model", { model: "my-model", strict: { extraModels: ["my-model"] } }],
];

describe("accepted", () => {
  test.each(BODIES)("%s", (_what, asked) => {
    expect(outcome(asked)).toBe("accepted");
  });

  test.each(CALLERS)("%s", (_what, asked) => {
    expect(outcome(asked)).toBe("accepted");
  });

  test("switches for guessed rules let through what they refuse by default", () => {
    const cases: readonly Asked[] = [
      { body: config({ temperature: 3 }), strict: { samplingRanges: false } },
      { body: config({ temperature: 3 }), strict: { samplingRanges: "seen" } },
      { profile: "vertex", body: config({ temperature: 3 }), strict: { samplingRanges: false } },
      { body: config({ responseJsonSchema: { type: "object" } }), strict: { schemaNeedsMimeType: false } },
      {
        body: {
          ...HELLO,
          tools: [FN],
          toolConfig: { functionCallingConfig: { mode: "AUTO", allowedFunctionNames: ["f"] } },
        },
        strict: { allowedNames: false },
      },
      {
        body: contents(user(text("q")), model(call("f", "a", "SIG1")), user(answer("f", "b"))),
        strict: { responseMatching: "accept" },
      },
      {
        body: contents(user(text("q")), model(call("f", "a", "SIG1")), user(answer("f", "a"), text("x"))),
        strict: { mixedResponses: "accept" },
      },
      { body: step("moved123"), strict: { movedSignatures: "accept" } },
      {
        body: { ...HELLO, tools: [{ functionDeclarations: [{ name: "f".repeat(128) }] }] },
        strict: { maxFunctionNameLength: 128 },
      },
      {
        profile: "comet",
        body: { ...HELLO, tools: [SEARCH, FN], toolConfig: { includeServerSideToolInvocations: true } },
        strict: { cometUpstream: "developer" },
      },
    ];
    expect(cases.map(({ strict: _strict, ...asked }) => outcome(asked) === "accepted")).toEqual(cases.map(() => false));
    expect(cases.map((asked) => outcome(asked))).toEqual(cases.map(() => "accepted"));
  });
});

describe("without guesses", () => {
  const cases: readonly (readonly [rule: string, asked: Asked])[] = [
    ["E-19b", { body: contents(user(text("q")), model(answer("f")), user(text("x"))) }],
    ["E-19b", { body: contents(user(call("f"))) }],
    [
      "E-32b",
      {
        body: {
          ...HELLO,
          tools: [
            {
              functionDeclarations: [
                {
                  name: "f",
                  parameters: { type: "OBJECT", properties: {} },
                  parametersJsonSchema: { type: "object" },
                },
              ],
            },
          ],
        },
      },
    ],
    [
      "E-32c",
      {
        body: {
          ...HELLO,
          tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "string" } }] }],
        },
      },
    ],
    [
      "E-39",
      { profile: "vertex", body: { ...HELLO, tools: [FN], toolConfig: { includeServerSideToolInvocations: true } } },
    ],
    [
      "E-40b",
      {
        body: {
          ...HELLO,
          tools: [FN],
          toolConfig: { functionCallingConfig: { mode: "AUTO", allowedFunctionNames: ["f"] } },
        },
      },
    ],
    ["E-47", { body: config({ responseJsonSchema: { type: "object" } }) }],
    ["E-48c", { body: config({ temperature: 3 }) }],
    ["E-55", { body: step("moved123") }],
  ];

  test.each(cases)("%s passes", (rule, asked) => {
    expect(outcome(asked)).toMatchObject({ rule });
    expect(outcome({ ...asked, strict: { guesses: false } })).toBe("accepted");
  });

  test("a switch of its own wins, and rules that were seen stay", () => {
    const strict = { guesses: false, samplingRanges: true };
    expect(outcome({ body: config({ temperature: 3 }), strict })).toMatchObject({ rule: "E-48c" });
    expect(outcome({ body: config({ candidateCount: 2 }), strict })).toMatchObject({ rule: "E-44" });
    const onVertex = { profile: "vertex", body: config({ temperature: 3 }), strict: { guesses: false } } as const;
    expect(outcome(onVertex)).toMatchObject({ rule: "E-48d" });
  });
});

describe("what the responder gets", () => {
  test("a normalized request beside the raw one", () => {
    const body = {
      contents: { parts: { text: "q", thought: null } },
      tools: [
        { google_search: {} },
        {
          function_declarations: [
            {
              name: "f",
              parameters: { type: "object", properties: { my_key: { type: "string", any_of: [{ type: "null" }] } } },
            },
          ],
        },
      ],
      tool_config: { function_calling_config: { mode: "any" }, include_server_side_tool_invocations: true },
      generation_config: { max_output_tokens: "7", thinking_config: { thinking_level: "low" } },
    };
    expect(ask({ body, verb: "streamGenerateContent?alt=sse" })).toMatchObject({
      ok: true,
      accepted: {
        operation: "streamGenerateContent",
        sse: true,
        apiVersion: "v1beta",
        mismatched: false,
        raw: body,
        model: { id: "gemini-3.8-flash" },
        request: {
          contents: [{ role: "user", parts: [{ text: "q" }] }],
          tools: [
            { googleSearch: {} },
            {
              functionDeclarations: [
                {
                  name: "f",
                  parameters: { type: "OBJECT", properties: { my_key: { type: "STRING", anyOf: [{ type: "NULL" }] } } },
                },
              ],
            },
          ],
          toolConfig: { functionCallingConfig: { mode: "ANY" }, includeServerSideToolInvocations: true },
          generationConfig: { maxOutputTokens: 7, thinkingConfig: { thinkingLevel: "LOW" } },
        },
      },
    });
  });

  test("free-form JSON as it came", () => {
    const args = { snake_case: [null, { deep_key: 1 }] };
    const verdict = ask({
      body: contents(
        user(text("q")),
        model({ function_call: { name: "f", args }, thought_signature: "SIG1" }),
        user({ function_response: { name: "f", response: args } }),
      ),
    });
    expect(verdict).toMatchObject({
      accepted: {
        request: {
          contents: [
            { role: "user" },
            { role: "model", parts: [{ functionCall: { name: "f", args }, thoughtSignature: "SIG1" }] },
            { role: "user", parts: [{ functionResponse: { name: "f", response: args } }] },
          ],
        },
      },
    });
  });

  test("aliases resolved", () => {
    expect(ask({ model: "gemini-flash-latest" })).toMatchObject({ accepted: { model: { id: "gemini-3.8-flash" } } });
  });

  test("a whole request to count, unwrapped", () => {
    const verdict = ask({ verb: "countTokens", body: { generateContentRequest: HELLO } });
    expect(verdict).toMatchObject({ accepted: { operation: "countTokens", request: HELLO } });
  });

  test("mismatched ids, where the switch asks for an empty candidate", () => {
    const body = contents(user(text("q")), model(call("f", "a", "SIG1")), user(answer("f", "b")));
    expect(ask({ body, strict: { responseMatching: "empty" } })).toMatchObject({
      ok: true,
      accepted: { mismatched: true },
    });
  });
});
