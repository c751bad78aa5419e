import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../../../src/errors/agent-error.ts";
import { buildHead, buildRequest } from "../../../src/model/request/build-request.ts";
import { inferCapabilities } from "../../../src/wire/known-models.ts";
import type { ModelRequest } from "../../../src/model/model.ts";
import { buildThinkingConfig, type Thinking } from "../../../src/model/settings.ts";
import type { Content } from "../../../src/wire/types/content.ts";
import type { FunctionDeclaration, WireTool } from "../../../src/wire/types/declaration.ts";
import type { EndpointKind } from "../../../src/wire/endpoints/endpoint.ts";
import type { GenerateContentRequest } from "../../../src/wire/types/generate-content.ts";

const HI: Content = { role: "user", parts: [{ text: "hi" }] };
const ASK: ModelRequest = { contents: [HI], functions: [], builtIns: [], settings: {} };
const WEATHER: FunctionDeclaration = {
  name: "weather",
  description: "Weather",
  parametersJsonSchema: { type: "object", properties: {} },
};
const SEARCH = { googleSearch: {} };

function build(
  request: Partial<ModelRequest>,
  modelId = "gemini-3.8-flash",
  endpointKind: EndpointKind = "developer",
): GenerateContentRequest {
  return buildRequest({ ...ASK, ...request }, { modelId, capabilities: inferCapabilities(modelId), endpointKind });
}

test("a bare request holds its contents and nothing else", () => {
  expect(build({})).toEqual({ contents: [HI] });
});

test("everything goes where the API wants it", () => {
  const request = build({
    instructions: "be brief",
    functions: [WEATHER],
    calling: { mode: "ANY", allowedFunctionNames: ["weather"] },
    output: { schema: { type: "object" } },
    settings: {
      thinking: "low",
      includeThoughts: true,
      temperature: 0,
      topP: 0.5,
      topK: 4,
      maxOutputTokens: 10,
      stopSequences: ["x"],
      seed: 0,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      responseModalities: ["TEXT"],
      imageConfig: { imageSize: "1K" },
      speechConfig: { languageCode: "en" },
      mediaResolution: "MEDIA_RESOLUTION_LOW",
      safetySettings: [{ category: "c", threshold: "OFF" }],
      serviceTier: "flex",
      store: false,
      labels: { team: "a" },
    },
  });
  expect(request).toEqual({
    systemInstruction: { parts: [{ text: "be brief" }] },
    tools: [{ functionDeclarations: [WEATHER] }],
    contents: [HI],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } },
    generationConfig: {
      temperature: 0,
      topP: 0.5,
      topK: 4,
      maxOutputTokens: 10,
      stopSequences: ["x"],
      seed: 0,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      responseModalities: ["TEXT"],
      imageConfig: { imageSize: "1K" },
      speechConfig: { languageCode: "en" },
      mediaResolution: "MEDIA_RESOLUTION_LOW",
      responseMimeType: "application/json",
      responseJsonSchema: { type: "object" },
      thinkingConfig: { includeThoughts: true, thinkingLevel: "LOW" },
    },
    safetySettings: [{ category: "c", threshold: "OFF" }],
    serviceTier: "flex",
    store: false,
    labels: { team: "a" },
  });
});

test("what changes from turn to turn stands after the contents", () => {
  const fields = Object.keys(build({ settings: { store: false, labels: { a: "b" }, serviceTier: "flex" } }));
  expect(fields.slice(fields.indexOf("contents"))).toEqual(["contents", "serviceTier", "store", "labels"]);
});

test("contents are passed on by identity", () => {
  const contents = [HI, { role: "model", parts: [{ text: "yes" }] } as const];
  expect(build({ contents }).contents).toBe(contents);
});

describe("tools and their config", () => {
  const functions = [WEATHER];
  const builtIns = [SEARCH];
  const FLAG = { includeServerSideToolInvocations: true };
  const mode = (word: string): object => ({ functionCallingConfig: { mode: word } });
  const location = { latitude: 1, longitude: 2, languageCode: "en" };
  test.each<[string, Partial<ModelRequest>, EndpointKind, unknown]>([
    ["functions alone need none", { functions }, "developer", undefined],
    ["functions with a mode", { functions, calling: { mode: "NONE" } }, "developer", mode("NONE")],
    [
      "names only where they count",
      { functions, calling: { mode: "AUTO", allowedFunctionNames: ["weather"] } },
      "developer",
      mode("AUTO"),
    ],
    ["built-ins alone take no mode", { builtIns, calling: { mode: "ANY" } }, "developer", undefined],
    ["both need the flag", { functions, builtIns }, "developer", { ...mode("VALIDATED"), ...FLAG }],
    [
      "both keep a mode that was asked for",
      { functions, builtIns, calling: { mode: "ANY" } },
      "developer",
      { ...mode("ANY"), ...FLAG },
    ],
    ["Vertex does not know the flag", { functions, builtIns }, "vertex", mode("VALIDATED")],
    ["a gateway is asked with the flag", { functions, builtIns }, "gateway", { ...mode("VALIDATED"), ...FLAG }],
    ["none means no built-ins either", { functions, builtIns, calling: { mode: "NONE" } }, "developer", mode("NONE")],
    [
      "a location",
      { builtIns, settings: { location } },
      "developer",
      { retrievalConfig: { latLng: { latitude: 1, longitude: 2 }, languageCode: "en" } },
    ],
    ["a location without tools", { settings: { location } }, "developer", undefined],
  ])("%s", (_name, request, kind, toolConfig) => {
    expect(build(request, "gemini-3.8-flash", kind).toolConfig).toEqual(toolConfig);
  });

  test("functions share one entry, built-ins have one each", () => {
    const request = { functions: [WEATHER, { ...WEATHER, name: "b" }], builtIns: [SEARCH, { urlContext: {} }] };
    expect(build(request).tools).toEqual([{ functionDeclarations: request.functions }, SEARCH, { urlContext: {} }]);
    expect(build({ ...request, calling: { mode: "NONE" } }).tools).toEqual([
      { functionDeclarations: request.functions },
    ]);
  });
});

const MAPS = { googleMaps: { groundingTypes: { routing: {} } } };
const MCP = { mcpServers: [{ name: "docs", streamableHttpTransport: { url: "https://docs.example/mcp" } }] };
const VERTEX_TOOLS = [
  MAPS,
  { enterpriseWebSearch: {} },
  { exaAiSearch: { apiKey: "k" } },
  { parallelAiSearch: {} },
  { retrieval: {} },
];
test.each<[EndpointKind, readonly WireTool[], readonly WireTool[]]>([
  ["developer", [MCP, { googleMaps: {} }], VERTEX_TOOLS],
  ["vertex", [...VERTEX_TOOLS, { googleMaps: {} }], [MCP]],
  ["gateway", [MCP, ...VERTEX_TOOLS], []],
])("%s takes the tools that it knows, and refuses others before they are sent", (kind, taken, refused) => {
  for (const tool of taken)
    expect(build({ builtIns: [tool] }, "gemini-3.8-flash", kind)).toEqual({ tools: [tool], contents: [HI] });
  for (const tool of refused)
    expect(() => build({ builtIns: [SEARCH, tool] }, "gemini-3.8-flash", kind)).toThrow(/works only on .+; remove it/);
});

test("settings of images, voices and transcription are sent as they are", () => {
  const voice = { replicatedVoiceConfig: { mimeType: "audio/wav", voiceSampleAudio: "AAAA" } };
  const generationConfig = {
    imageConfig: {
      prominentPeople: "BLOCK_PROMINENT_PEOPLE",
      personGeneration: "ALLOW_ADULT",
      imageOutputOptions: { mimeType: "image/jpeg", compressionQuality: 80 },
    },
    speechConfig: {
      multiSpeakerVoiceConfig: {
        speakerVoiceConfigs: [
          { speaker: "Ada", voiceConfig: voice },
          { speaker: "Bob", voiceConfig: { voice: "v-1" } },
        ],
      },
    },
    audioTranscriptionConfig: { languageCodes: ["de-DE"], diarization: true, mode: "VERBATIM" },
  };
  const outputConfig = { outputUriPrefix: "gs://bucket/out/" };
  expect(build({ settings: { ...generationConfig, outputConfig } }, "gemini-3.8-flash", "vertex")).toEqual({
    contents: [HI],
    generationConfig,
    outputConfig,
  });
});

test("JSON without a schema asks for the media type alone", () => {
  expect(build({ output: {} }).generationConfig).toEqual({ responseMimeType: "application/json" });
});

test("where there is no system instruction the instructions come first", () => {
  const request = build({ instructions: "draw" }, "gemini-2.5-flash-image");
  expect(request).toEqual({ contents: [{ role: "user", parts: [{ text: "draw" }] }, HI] });
});

test("a head that is passed in is used as it is", () => {
  const facts = { modelId: "m", capabilities: inferCapabilities("m"), endpointKind: "developer" } as const;
  const request = { ...ASK, instructions: "a", functions: [WEATHER] };
  const head = buildHead(request, facts);
  const built = [buildRequest(request, facts, head), buildRequest(request, facts, head)];
  expect(built[0]?.tools).toBe(built[1]?.tools);
  expect(built[0]?.systemInstruction).toBe(built[1]?.systemInstruction);
});

test.each<[string, Partial<ModelRequest>, string]>([
  ["functions and search on an older model", { functions: [WEATHER], builtIns: [SEARCH] }, "gemini-2.5-flash"],
  ["functions on a model without them", { functions: [WEATHER] }, "gemini-3.8-flash-tts"],
  [
    "a cache with instructions",
    { instructions: "a", settings: { cachedContent: "cachedContents/1" } },
    "gemini-3.8-flash",
  ],
  ["a cache with tools", { builtIns: [SEARCH], settings: { cachedContent: "cachedContents/1" } }, "gemini-3.8-flash"],
  ["no contents", { contents: [] }, "gemini-3.8-flash"],
])("%s is refused before it is sent", (_name, request, id) => {
  expect(() => build(request, id)).toThrow(ConfigurationError);
});

const configOf = (id: string, thinking?: Thinking, includeThoughts?: boolean): unknown =>
  buildThinkingConfig({ thinking, includeThoughts }, { modelId: id, capabilities: inferCapabilities(id) });

test.each<[string, Thinking, unknown]>([
  ["gemini-3.6-flash", "off", { thinkingLevel: "MINIMAL" }],
  ["gemini-3.6-flash", "minimal", { thinkingLevel: "MINIMAL" }],
  ["gemini-3.8-flash", "low", { thinkingLevel: "LOW" }],
  ["gemini-4-argon", "medium", { thinkingLevel: "MEDIUM" }],
  ["gemini-3-pro-preview", "high", { thinkingLevel: "HIGH" }],
  ["gemini-4-hydrogen", "xhigh", { thinkingLevel: "xhigh" }],
  ["gemma-4-31b-it", "off", { thinkingLevel: "MINIMAL" }],
  ["gemini-2.5-flash", "off", { thinkingBudget: 0 }],
  ["gemini-2.5-flash", "minimal", { thinkingBudget: 512 }],
  ["gemini-2.5-flash", "low", { thinkingBudget: 1024 }],
  ["gemini-2.5-flash", "medium", { thinkingBudget: 8192 }],
  ["gemini-2.5-flash", "xhigh", { thinkingBudget: 24_576 }],
  ["gemini-2.5-pro", "xhigh", { thinkingBudget: 32_768 }],
  ["gemini-2.5-flash", { budget: -1 }, { thinkingBudget: -1 }],
  ["gemini-2.5-pro", { budget: 128 }, { thinkingBudget: 128 }],
  ["gemini-2.0-flash", "off", undefined],
])("%s with %o asks for %o", (id, thinking, config) => {
  expect(configOf(id, thinking)).toEqual(config);
});

test.each<[string, Thinking, RegExp]>([
  ["gemini-3.8-flash", "off", /cannot turn thinking off: use one of "low", "medium", "high"/],
  ["gemini-3.8-flash", "minimal", /does not accept thinking "minimal": use one of "low"/],
  ["gemini-4-argon", "xhigh", /use one of "low", "medium", "high"/],
  ["gemini-4-argon", { budget: 100 }, /accepts a thinking level, not a budget/],
  ["gemini-2.5-pro", "off", /cannot turn thinking off: use a budget from 128 to 32768/],
  ["gemini-2.5-pro", { budget: 127 }, /127 does not work/],
  ["gemini-2.5-flash-lite", { budget: 100 }, /from 512 to 24576 tokens, -1 \(the model decides\), "off"/],
  ["gemini-2.5-flash", { budget: 1.5 }, /1.5 does not work/],
  ["gemini-2.0-flash", "low", /does not think/],
])("%s with %o is refused with the values that work", (id, thinking, message) => {
  expect(() => configOf(id, thinking)).toThrow(ConfigurationError);
  expect(() => configOf(id, thinking)).toThrow(message);
});

describe("thought summaries", () => {
  test("are asked for by themselves", () => {
    expect(configOf("gemini-3.8-flash", undefined, true)).toEqual({ includeThoughts: true });
    expect(configOf("gemini-3.8-flash", "low", true)).toEqual({ includeThoughts: true, thinkingLevel: "LOW" });
  });
  test("are left out where there are none, or none are wanted", () => {
    expect([configOf("gemini-2.0-flash", undefined, true), configOf("gemini-3.8-flash", undefined, false)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
