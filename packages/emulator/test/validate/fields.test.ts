import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MESSAGES, ONEOFS } from "../../src/validate/descriptors.ts";
import { ENUMS } from "../../src/validate/enums.ts";
import { checkFields, type FieldScope } from "../../src/validate/fields.ts";

const SCOPE: FieldScope = { surface: "developer", old: false, oldV1: false, apiVersion: "v1beta" };

/** Any valid value of a field type, normalized. */
function valueOf(type: string, depth: number): fc.Arbitrary<unknown> {
  if (type.startsWith("=")) return fc.constantFrom(...(ENUMS[type.slice(1)] ?? "").split(" "));
  if (type.startsWith("map<")) return fc.dictionary(fc.string(), valueOf(type.slice(4, -1), depth), { maxKeys: 2 });
  if (type in MESSAGES) return messageOf(type, depth - 1);
  switch (type) {
    case "bool":
      return fc.boolean();
    case "int32":
    case "int64":
      return fc.integer();
    case "float":
    case "double":
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
    case "bytes":
      return fc.base64String();
    case "Duration":
      return fc.nat().map((seconds) => `${seconds}s`);
    case "Timestamp":
      return fc.constant("2026-11-21T00:00:00Z");
    case "Struct":
      return fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 });
    case "Value":
      return fc.jsonValue({ maxDepth: 1 });
    default:
      return fc.string();
  }
}

function messageOf(name: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const usable = Object.entries(MESSAGES[name] ?? {}).filter(
    ([, type]) => !type.includes("@vertex") && (depth > 0 || !isMessage(type)),
  );
  const oneof = ONEOFS[name] ?? [];
  const fields = (choice: string | undefined) =>
    Object.fromEntries(
      usable
        .filter(([key]) => !oneof.includes(key) || key === choice)
        .map(([key, type]) => {
          const [bare = ""] = type.split("@");
          return [
            key,
            bare.endsWith("[]") ? fc.array(valueOf(bare.slice(0, -2), depth), { maxLength: 2 }) : valueOf(bare, depth),
          ];
        }),
    );
  const choices = usable.map(([key]) => key).filter((key) => oneof.includes(key));
  return fc
    .constantFrom(...(choices.length > 0 ? choices : [undefined]))
    .chain((choice) => fc.record(fields(choice), { requiredKeys: [], noNullPrototype: true }));
}

function isMessage(type: string): boolean {
  return (type.replace(/^map</, "").split(/[[@>]/)[0] ?? "") in MESSAGES;
}

/** The same message as other clients write it: snake_case names, lower-case enum members, numbers as strings. */
function respelled(value: unknown, type: string): unknown {
  if (type.startsWith("map<")) return mapValues(value, () => type.slice(4, -1));
  if (type.startsWith("=")) return String(value).toLowerCase();
  if (type === "int32" || type === "int64") return String(value);
  if (!(type in MESSAGES)) return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, child]) => {
      const [field = ""] = (MESSAGES[type]?.[key] ?? "").split("@");
      const snake = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const items = (list: unknown) => (list as unknown[]).map((item) => respelled(item, field.slice(0, -2)));
      return [snake, field.endsWith("[]") ? items(child) : respelled(child, field)];
    }),
  );
}

function mapValues(value: unknown, type: () => string): unknown {
  return Object.fromEntries(Object.entries(value as object).map(([key, child]) => [key, respelled(child, type())]));
}

const SURFACES = ["developer", "vertex"] as const;

/** Verdicts of both surfaces on a field: accepted or unknown. */
test.each<[string, object, readonly (typeof SURFACES)[number][]]>([
  [
    "server-side MCP",
    {
      tools: [
        {
          mcpServers: [
            {
              name: "n",
              streamableHttpTransport: {
                url: "u",
                headers: { a: "b" },
                timeout: "1.5s",
                sseReadTimeout: "30s",
                terminateOnClose: true,
              },
            },
          ],
        },
      ],
    },
    ["developer"],
  ],
  ["grounding types of Maps", { tools: [{ googleMaps: { groundingTypes: { places: {}, routing: {} } } }] }, ["vertex"]],
  ["a new grounding type", { tools: [{ googleMaps: { groundingTypes: { photos: {} } } }] }, []],
  ["Exa", { tools: [{ exaAiSearch: { apiKey: "k", customConfigs: { a: 1 } } }] }, ["vertex"]],
  ["Parallel", { tools: [{ parallelAiSearch: { apiKey: "k", enableZeroDataRetention: true } }] }, ["vertex"]],
  ["search for companies", { tools: [{ enterpriseWebSearch: { excludeDomains: ["a.example"] } }] }, ["vertex"]],
  [
    "a computer",
    {
      tools: [
        {
          computerUse: {
            environment: "ENVIRONMENT_MOBILE",
            excludedPredefinedFunctions: ["f"],
            disabledSafetyPolicies: ["DATA_MODIFICATION"],
          },
        },
      ],
    },
    SURFACES,
  ],
  ["a policy that does not exist", { tools: [{ computerUse: { disabledSafetyPolicies: ["FUN"] } }] }, []],
  [
    "transcription",
    { generationConfig: { audioTranscriptionConfig: { languageCodes: ["de"], diarization: true, mode: "SMART" } } },
    SURFACES,
  ],
  ["an unknown field of it", { generationConfig: { audioTranscriptionConfig: { speed: 1 } } }, []],
  [
    "people in images",
    { generationConfig: { imageConfig: { prominentPeople: "BLOCK_PROMINENT_PEOPLE" } } },
    ["vertex"],
  ],
  [
    "files of images",
    { generationConfig: { imageConfig: { imageOutputOptions: { mimeType: "image/jpeg", compressionQuality: 80 } } } },
    ["vertex"],
  ],
  ["what only Google's SDK calls so", { generationConfig: { imageConfig: { outputCompressionQuality: 80 } } }, []],
  [
    "a voice from a sample",
    {
      generationConfig: {
        speechConfig: { voiceConfig: { replicatedVoiceConfig: { mimeType: "audio/wav", voiceSampleAudio: "AAAA" } } },
      },
    },
    SURFACES,
  ],
  [
    "consent to it",
    {
      generationConfig: {
        speechConfig: {
          voiceConfig: { replicatedVoiceConfig: { consentAudio: "AAAA", voiceConsentSignature: { signature: "s" } } },
        },
      },
    },
    ["developer"],
  ],
  [
    "a voice by its identifier",
    {
      generationConfig: {
        speechConfig: {
          multiSpeakerVoiceConfig: { speakerVoiceConfigs: [{ speaker: "a", voiceConfig: { voice: "v" } }] },
        },
      },
    },
    SURFACES,
  ],
  ["a place for the output", { outputConfig: { outputUriPrefix: "gs://a/" } }, ["vertex"]],
])("%s is known where the service knows it", (_what, body, known) => {
  const taking = SURFACES.filter((surface) => {
    const { value, problems } = checkFields({ ...body }, "GenerateContentRequest", { ...SCOPE, surface });
    if (problems.length === 0) expect(value).toEqual(body);
    else expect(problems[0]?.message).toMatch(/Cannot find field|Invalid value at 'tools/);
    return problems.length === 0;
  });
  expect(taking).toEqual(known);
});

describe("checkFields", () => {
  test("takes every message of the descriptors and changes nothing in it", () => {
    fc.assert(
      fc.property(messageOf("GenerateContentRequest", 5), (message) => {
        expect(checkFields(message, "GenerateContentRequest", SCOPE)).toEqual({ value: message, problems: [] });
      }),
      { numRuns: 100 },
    );
  });

  test("reads every other spelling of a message as the same", () => {
    fc.assert(
      fc.property(messageOf("GenerateContentRequest", 5), (message) => {
        const checked = checkFields(
          respelled(message, "GenerateContentRequest") as Record<string, unknown>,
          "GenerateContentRequest",
          SCOPE,
        );
        expect(checked).toEqual({ value: message, problems: [] });
      }),
      { numRuns: 100 },
    );
  });

  test("never throws, for any input", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.string(), fc.constantFrom(...Object.keys(MESSAGES["GenerateContentRequest"] ?? {}))),
          fc.jsonValue(),
        ),
        (body) => {
          checkFields(body, "GenerateContentRequest", SCOPE);
        },
      ),
    );
  });

  test("every type of the descriptors is known", () => {
    const types = Object.values(MESSAGES).flatMap((fields) => Object.values(fields));
    const bare = types.map((type) =>
      type
        .replace(/@.*/, "")
        .replace("[]", "")
        .replace(/^map<(.*)>$/, "$1"),
    );
    const scalars = new Set([
      "string",
      "bool",
      "int32",
      "int64",
      "float",
      "double",
      "bytes",
      "Struct",
      "Value",
      "Duration",
      "Timestamp",
    ]);
    const unknown = bare.filter(
      (type) => !scalars.has(type) && !(type in MESSAGES) && !(type.startsWith("=") && type.slice(1) in ENUMS),
    );
    expect(unknown).toEqual([]);
  });
});
