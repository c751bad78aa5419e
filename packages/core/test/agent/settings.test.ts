import { SILENT } from "@pollux/core/wire";
import { Agent, type AgentOptions, ConfigurationError, defineTool, endpoint, gemini, googleMaps } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { faces } from "../helpers/faces.ts";

type Kind = "developer" | "vertex" | "gateway";
type Settings = Omit<AgentOptions, "model" | "endpoint">;

const ANSWER = { candidates: [{ content: { role: "model", parts: [{ text: "ok" }] }, finishReason: "STOP" }] };
const CONTENTS = [{ role: "user", parts: [{ text: "Hi." }] }];
const wait = defineTool({ name: "wait", description: "Waits.", input: z.object({}), run: () => "done" });
const DECLARED = [{ functionDeclarations: [wait.declaration] }];

/** An agent whose requests are kept. */
function agentOf(
  settings: Settings,
  kind: Kind = "developer",
  model = "gemini-3.8-flash",
): { agent: Agent; bodies: unknown[] } {
  const bodies: unknown[] = [];
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    bodies.push(await new Response(init.body as BodyInit).json());
    return new Response(`data: ${JSON.stringify(ANSWER)}\n\n`);
  };
  const to = endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind });
  return { bodies, agent: new Agent({ ...settings, model: gemini(model, { endpoint: to, fetch }) }) };
}

const IMAGES = "gemini-3.1-flash-image";
const SAFETY = [
  { category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_ONLY_HIGH" },
  { category: "HARM_CATEGORY_JAILBREAK", threshold: "OFF" },
];
const TTS = "gemini-3.8-flash-tts";
const VOICE = { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } };
const SPEECH = {
  multiSpeakerVoiceConfig: {
    speakerVoiceConfigs: [{ speaker: "Ann", voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } }],
  },
  languageCode: "en-GB",
};

const BODIES: readonly (readonly [Settings, object, Kind?, string?])[] = [
  [{ settings: { temperature: 0 } }, { generationConfig: { temperature: 0 } }],
  [{ settings: { topP: 0.5, topK: 3 } }, { generationConfig: { topP: 0.5, topK: 3 } }],
  [{ settings: { maxOutputTokens: 100 } }, { generationConfig: { maxOutputTokens: 100 } }],
  [{ settings: { stopSequences: ["END"] } }, { generationConfig: { stopSequences: ["END"] } }],
  [{ settings: { seed: 0 } }, { generationConfig: { seed: 0 } }],
  [
    { settings: { presencePenalty: 0, frequencyPenalty: 0.5 } },
    { generationConfig: { presencePenalty: 0, frequencyPenalty: 0.5 } },
  ],
  [
    { settings: { responseLogprobs: true, logprobs: 0 } },
    { generationConfig: { responseLogprobs: true, logprobs: 0 } },
    "vertex",
  ],
  [{ settings: { responseLogprobs: true } }, { generationConfig: { responseLogprobs: true } }, "gateway"],
  [
    { settings: { responseModalities: ["TEXT", "IMAGE"], imageConfig: { aspectRatio: "16:9", imageSize: "2K" } } },
    {
      generationConfig: {
        responseModalities: ["TEXT", "IMAGE"],
        imageConfig: { aspectRatio: "16:9", imageSize: "2K" },
      },
    },
    "developer",
    IMAGES,
  ],
  [
    { settings: { responseModalities: ["AUDIO"], speechConfig: SPEECH } },
    { generationConfig: { responseModalities: ["AUDIO"], speechConfig: SPEECH } },
    "developer",
    "gemini-3.8-flash-tts",
  ],
  [{}, { generationConfig: { responseModalities: ["AUDIO"] } }, "developer", "gemini-2.5-pro-preview-tts"],
  [
    { settings: { speechConfig: VOICE } },
    { generationConfig: { responseModalities: ["AUDIO"], speechConfig: VOICE } },
    "vertex",
    TTS,
  ],
  [
    { settings: { responseModalities: ["AUDIO"] } },
    { generationConfig: { responseModalities: ["AUDIO"] } },
    "gateway",
    "house-voice",
  ],
  [{}, {}, "developer", "gemini-3.5-transcribe"],
  [
    { settings: { mediaResolution: "MEDIA_RESOLUTION_LOW" } },
    { generationConfig: { mediaResolution: "MEDIA_RESOLUTION_LOW" } },
  ],
  [{ settings: { safetySettings: SAFETY } }, { safetySettings: SAFETY }],
  [
    { settings: { safetySettings: [{ category: "HARM_CATEGORY_IMAGE_HATE", threshold: "OFF", method: "SEVERITY" }] } },
    { safetySettings: [{ category: "HARM_CATEGORY_IMAGE_HATE", threshold: "OFF", method: "SEVERITY" }] },
    "vertex",
  ],
  [{ settings: { serviceTier: "flex" } }, { serviceTier: "flex" }],
  [{ settings: { store: false } }, { store: false }],
  [{ settings: { store: true } }, { store: true }, "gateway"],
  [{ settings: { labels: { team: "a" } } }, { labels: { team: "a" } }],
  [{ settings: { cachedContent: "cachedContents/1" } }, { cachedContent: "cachedContents/1" }],
  [
    { settings: { thinking: "low", includeThoughts: true } },
    { generationConfig: { thinkingConfig: { includeThoughts: true, thinkingLevel: "LOW" } } },
  ],
  [
    { settings: { thinking: { budget: 0 } } },
    { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
    "developer",
    "gemini-2.5-flash",
  ],
  [
    { settings: { location: { latitude: 0, longitude: 1, languageCode: "en" } }, tools: [googleMaps()] },
    {
      tools: [{ googleMaps: {} }],
      toolConfig: { retrievalConfig: { latLng: { latitude: 0, longitude: 1 }, languageCode: "en" } },
    },
  ],
  [
    { settings: { streamFunctionCallArguments: true }, tools: [wait] },
    { tools: DECLARED, toolConfig: { functionCallingConfig: { streamFunctionCallArguments: true } } },
    "vertex",
  ],
  [
    { settings: { streamFunctionCallArguments: true }, toolChoice: "required", tools: [wait] },
    {
      tools: DECLARED,
      toolConfig: { functionCallingConfig: { mode: "ANY", streamFunctionCallArguments: true } },
    },
    "vertex",
  ],
  [{ settings: { streamFunctionCallArguments: false }, tools: [wait] }, { tools: DECLARED }],
];

describe.each(faces)("%s", (_name, read) => {
  test.each(BODIES.map(([settings, fields, kind, model]) => ({ settings, fields, kind, model })))(
    "$settings makes the whole body",
    async ({ settings, fields, kind, model }) => {
      const { agent, bodies } = agentOf(settings, kind, model);
      await read(agent, "Hi.");
      expect(bodies).toEqual([{ contents: CONTENTS, ...fields }]);
    },
  );

  test("a run's settings take the place of the agent's", async () => {
    const { agent, bodies } = agentOf({ settings: { seed: 1, stopSequences: ["A"] } });
    await read(agent, "Hi.", { settings: { seed: 0 } });
    expect(bodies).toEqual([{ contents: CONTENTS, generationConfig: { seed: 0, stopSequences: ["A"] } }]);
  });
});

// What TypeScript would refuse is given as a program in JavaScript gives it.
const REFUSED: readonly (readonly [settings: object, says: RegExp, kind?: Kind, model?: string])[] = [
  [{ logprobs: 3 }, /^logprobs requires responseLogprobs: true/, "vertex"],
  [{ responseLogprobs: true, logprobs: 21 }, /^logprobs is 21: it must be an integer from 0 to 20/, "vertex"],
  [{ responseLogprobs: true }, /^responseLogprobs: .* use Vertex/],
  [{ presencePenalty: 0 }, /gemini-2.5-flash does not accept presencePenalty/, "developer", "gemini-2.5-flash"],
  [{ responseModalities: [] }, /^responseModalities is empty/],
  [{ responseModalities: ["text"] }, /^responseModalities: write "TEXT" instead of "text"/],
  [{ responseModalities: ["IMAGE"] }, /^responseModalities: gemini-3.8-flash does not generate images/],
  [{ imageConfig: { aspectRatio: "1:1" } }, /^imageConfig: gemini-3.8-flash does not generate images/],
  [{ imageConfig: { aspectRatio: "wide" } }, /^imageConfig.aspectRatio is "wide": .*"16:9"/, "developer", IMAGES],
  [{ imageConfig: { imageSize: "8K" } }, /^imageConfig.imageSize is "8K": use one of "512"/, "developer", IMAGES],
  [
    { responseModalities: ["AUDIO"] },
    /^responseModalities: gemini-2.5-flash does not speak; .* gemini-3.8-flash-tts/,
    "developer",
    "gemini-2.5-flash",
  ],
  [{ speechConfig: VOICE }, /^speechConfig: gemini-3.8-flash does not speak/, "vertex"],
  [
    { responseModalities: ["AUDIO"] },
    /^responseModalities: gemini-3.5-transcribe does not speak/,
    "vertex",
    "gemini-3.5-transcribe",
  ],
  [{ mediaResolution: "MEDIA_RESOLUTION_ULTRA_HIGH" }, /^mediaResolution is .*set per part/],
  [{ speechConfig: { ...SPEECH, voiceConfig: {} } }, /^speechConfig contains voiceConfig and multiSpeakerVoiceConfig/],
  [{ safetySettings: [{ category: "HATE", threshold: "OFF" }] }, /"HATE" is not a category/],
  [{ safetySettings: [{ category: "HARM_CATEGORY_JAILBREAK", threshold: "off" }] }, /"off" is not a threshold/],
  [{ safetySettings: [SAFETY[0], SAFETY[0]] }, /contains HARM_CATEGORY_HARASSMENT twice/],
  [{ safetySettings: [{ ...SAFETY[0], method: "SEVERITY" }] }, /`method` works only on Vertex/],
  [
    { safetySettings: [{ category: "HARM_CATEGORY_IMAGE_HATE", threshold: "OFF" }] },
    /HARM_CATEGORY_IMAGE_HATE works only on Vertex/,
  ],
  [{ serviceTier: "fast" }, /^serviceTier is "fast": use one of flex, standard, priority/],
  [{ serviceTier: "flex" }, /^serviceTier works only on the Developer API/, "vertex"],
  [{ store: "no" }, /^store is "no": use true or false/],
  [{ store: false }, /^store works only on the Developer API/, "vertex"],
  [{ labels: { team: 1 } }, /^labels: "team"/],
  [{ streamFunctionCallArguments: true }, /^streamFunctionCallArguments works only on Vertex/],
  [{ streamFunctionCallArguments: true }, /^streamFunctionCallArguments works only on Vertex/, "gateway"],
  [{ streamFunctionCallArguments: true }, /Gemini 3 or newer/, "vertex", "gemini-2.5-flash"],
];

test.each(REFUSED.map(([settings, says, kind, model]) => ({ settings, says, kind, model })))(
  "$settings is refused when the agent is made",
  ({ settings, says, kind, model }) => {
    expect(() => agentOf({ settings }, kind, model)).toThrow(ConfigurationError);
    expect(() => agentOf({ settings }, kind, model)).toThrow(says);
  },
);

test("streamed arguments need a streaming transport", () => {
  const to = endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "vertex" });
  const model = gemini("gemini-3.8-flash", { endpoint: to, transport: "unary" });
  expect(() => new Agent({ model, settings: { streamFunctionCallArguments: true } })).toThrow(
    /only with transport: "stream"/,
  );
});

test("a model's capabilities can be corrected, and nothing is assumed about a new model", () => {
  const to = endpoint({ baseUrl: "https://gemini.example", apiKey: "k" });
  const imageConfig = { aspectRatio: "1:1" };
  const known = gemini("gemini-3.8-flash", { endpoint: to, capabilities: { imageOutput: true } });
  expect(() => new Agent({ model: known, settings: { imageConfig } })).not.toThrow();
  expect(
    () => new Agent({ model: gemini("gemini-5-flash-image", { endpoint: to }), settings: { imageConfig } }),
  ).not.toThrow();
});

describe.each(faces)("a model that nobody knows, by %s", (_face, read) => {
  test("is sent its settings unchecked, with one warning", async () => {
    const settings: Settings = {
      settings: {
        thinking: "minimal",
        temperature: 1,
        responseModalities: ["TEXT", "IMAGE"],
        imageConfig: { aspectRatio: "1:1" },
      },
    };
    const warned: unknown[] = [];
    const logger = { ...SILENT, child: () => logger, warn: (facts: unknown) => void warned.push(facts) };
    const { agent, bodies } = agentOf({ ...settings, tools: [wait], logger }, "developer", "gemini-5-xenon");
    await read(agent, "Hi.");
    await read(agent, "Hi.", { settings: { thinking: { budget: 7 } } });
    const config = { temperature: 1, responseModalities: ["TEXT", "IMAGE"], imageConfig: { aspectRatio: "1:1" } };
    const rest = { contents: CONTENTS, tools: DECLARED };
    expect(bodies).toEqual([
      { ...rest, generationConfig: { ...config, thinkingConfig: { thinkingLevel: "MINIMAL" } } },
      { ...rest, generationConfig: { ...config, thinkingConfig: { thinkingBudget: 7 } } },
    ]);
    expect(warned).toMatchObject([
      { model: "gemini-5-xenon", settings: expect.arrayContaining(Object.keys(settings.settings ?? {})) },
    ]);
  });

  test("is not warned about when nothing is set, and a deprecated one is", async () => {
    const warned: unknown[] = [];
    const logger = { ...SILENT, child: () => logger, warn: (facts: unknown) => void warned.push(facts) };
    for (const model of ["gemini-5-xenon", "gemini-3.8-flash", "gemini-3.7-flash"]) {
      const { agent } = agentOf({ logger }, "developer", model);
      await read(agent, "Hi.");
      await read(agent, "Hi.");
    }
    expect(warned).toMatchObject([{ model: "gemini-3.7-flash", routedTo: "gemini-3.8-flash" }]);
  });
});
