import { type Case, ROOT, config } from "./build.ts";

const thinking = (thinkingConfig: unknown) => config({ thinkingConfig });
const vertexRange = (name: string, value: number, min: string, max: string) =>
  `Unable to submit request because it has a ${name} value of ${value} but the supported range is from ${min} (inclusive) to ${max} (exclusive). Update the value and try again.`;

export const CONFIG: readonly Case[] = [
  [
    "E-44",
    "two candidates",
    { body: config({ candidateCount: 2 }) },
    "Multiple candidates is not enabled for this model",
  ],
  [
    "E-45",
    "a penalty on 2.5",
    { model: "gemini-2.5-flash", body: config({ presencePenalty: 1 }) },
    "Penalty is not enabled for models/gemini-2.5-flash",
  ],
  ["E-46", "logprobs", { body: config({ responseLogprobs: true }) }, "Logprobs is not enabled for this model"],
  [
    "E-47",
    "a response schema alone",
    { body: config({ responseJsonSchema: { type: "object" } }) },
    `${ROOT}.generation_config.response_mime_type: must be \`application/json\` or \`text/x.enum\` when a response schema is set.`,
  ],
  [
    "E-47",
    "an unknown MIME type",
    { body: config({ responseMimeType: "text/html" }) },
    `${ROOT}.generation_config.response_mime_type: allowed mimetypes are \`text/plain\`, \`application/json\`, \`application/xml\`, \`application/yaml\` and \`text/x.enum\`.`,
  ],
  [
    "E-48",
    "a long unary answer of Gemini 4",
    { model: "gemini-4-argon", body: config({ maxOutputTokens: 40_000 }) },
    "max_output_tokens must be at most 32768 for generateContent requests to models/gemini-4-argon. Please use streamGenerateContent.",
  ],
  [
    "E-48b",
    "no tokens",
    { body: config({ maxOutputTokens: 0 }) },
    `${ROOT}.generation_config.max_output_tokens: max_output_tokens must be positive.`,
  ],
  [
    "E-48b",
    "too many tokens",
    { body: config({ maxOutputTokens: 65_537 }) },
    `${ROOT}.generation_config.max_output_tokens: max_output_tokens must be in the range [1, 65536].`,
  ],
  [
    "E-48b",
    "negative tokens on Vertex",
    { profile: "vertex", body: config({ maxOutputTokens: -1 }) },
    vertexRange("maxOutputTokens", -1, "1", "65537"),
  ],
  [
    "E-48c",
    "a high temperature",
    { body: config({ temperature: 3 }) },
    `${ROOT}.generation_config.temperature: temperature must be in the range [0, 2].`,
  ],
  [
    "E-48d",
    "a high temperature on Vertex",
    { profile: "vertex", body: config({ temperature: 1000 }) },
    vertexRange("temperature", 1000, "0", "2.0001"),
  ],
  [
    "E-48d",
    "a negative topP on Vertex",
    { profile: "vertex", body: config({ topP: -1 }) },
    vertexRange("topP", -1, "0", "1.0001"),
  ],
  [
    "E-48c",
    "a high topP",
    { body: config({ topP: 1.5 }) },
    `${ROOT}.generation_config.top_p: top_p must be in the range [0, 1].`,
  ],
  [
    "E-67",
    "sound from a model that writes",
    { model: "gemini-2.5-flash", body: config({ responseModalities: ["AUDIO"] }) },
    "This model only supports text output.",
  ],
  [
    "E-67b",
    "text from a model that speaks",
    { model: "gemini-2.5-flash-preview-tts", body: config({}) },
    "The requested combination of response modalities (TEXT) is not supported by the model. models/gemini-2.5-flash-preview-tts accepts the following combination of response modalities:\n* AUDIO\n",
  ],
  [
    "E-67b",
    "text and sound from a model that speaks",
    { model: "gemini-3.8-flash-tts", body: config({ responseModalities: ["TEXT", "AUDIO"] }) },
    "The requested combination of response modalities (TEXT, AUDIO) is not supported by the model. models/gemini-3.8-flash-tts accepts the following combination of response modalities:\n* AUDIO\n",
  ],
  [
    "E-60",
    "a level on 2.5",
    { model: "gemini-2.5-flash", body: thinking({ thinkingLevel: "LOW" }) },
    "Thinking level is not supported for this model.",
  ],
  [
    "E-60",
    "a level on 2.0",
    { model: "gemini-2.0-flash", body: thinking({ thinkingLevel: "LOW" }) },
    "Thinking level is not supported for this model.",
  ],
  [
    "E-61",
    "MINIMAL on 3.8",
    { body: thinking({ thinkingLevel: "minimal" }) },
    "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
  ],
  [
    "E-61",
    "MEDIUM on 3-pro",
    { model: "gemini-3-pro-preview", body: thinking({ thinkingLevel: "MEDIUM" }) },
    "Thinking level MEDIUM is not supported for this model. Please retry with other thinking level.",
  ],
  [
    "E-61",
    "xhigh on argon",
    { model: "gemini-4-argon", body: thinking({ thinkingLevel: "xhigh" }) },
    "Thinking level XHIGH is not supported for this model. Please retry with other thinking level.",
  ],
  [
    "E-62",
    "no thinking on 2.5-pro",
    { model: "gemini-2.5-pro", body: thinking({ thinkingBudget: 0 }) },
    "Budget 0 is invalid. This model only works in thinking mode.",
  ],
  [
    "E-62",
    "no thinking on 3.6-flash",
    { model: "gemini-3.6-flash", body: thinking({ thinkingBudget: 0 }) },
    "Budget 0 is invalid. This model only works in thinking mode.",
  ],
  [
    "E-63",
    "level and budget",
    { body: thinking({ thinkingLevel: "LOW", thinkingBudget: 512 }) },
    "You can only set only one of thinking budget and thinking level.",
  ],
  [
    "E-64",
    "a budget over the range",
    { model: "gemini-2.5-flash", body: thinking({ thinkingBudget: 99_999 }) },
    "The thinking budget 99999 is invalid. Please choose a value between 0 and 24576.",
  ],
  [
    "E-64",
    "a budget on 4",
    { model: "gemini-4-argon", body: thinking({ thinkingBudget: 512 }) },
    "Thinking budget is not supported for this model.",
  ],
  [
    "E-64",
    "a budget over the range of a model with levels",
    { body: thinking({ thinkingBudget: 70_000 }) },
    "thinking_budget must be in the range [-1, 65535]",
  ],
  [
    "E-65",
    "thinking on 2.0",
    { model: "gemini-2.0-flash", body: thinking({ thinkingBudget: 512 }) },
    "thinking_config is not supported",
  ],
  [
    "E-65",
    "thinking on a speech model",
    { model: "gemini-3.8-flash-tts", body: thinking({ includeThoughts: true }) },
    "thinking_config is not supported",
  ],
];
