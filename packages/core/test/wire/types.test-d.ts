import { expectTypeOf, test } from "vitest";
import { type BuiltInTool, computerUse, googleMaps, type ModelSettings, type Source } from "../../src/index.ts";
import type { Candidate, GenerateContentResponse, GroundingChunk, Part, WireTool } from "../../src/wire/index.ts";

test("tools have the names that the API has for them, and new ones where the API may add some", () => {
  expectTypeOf(googleMaps).toBeCallableWith({ groundingTypes: ["places", "routing"] });
  // @ts-expect-error -- there is no such type
  googleMaps({ groundingTypes: ["photos"] });
  expectTypeOf(computerUse).toBeCallableWith({
    environment: "ENVIRONMENT_DESKTOP",
    disabledSafetyPolicies: ["DATA_MODIFICATION", "A_NEW_ONE"],
  });
  expectTypeOf<{ exaAiSearch: { apiKey: string } }>().toExtend<WireTool>();
  // @ts-expect-error -- Exa needs a key
  const keyless: WireTool = { exaAiSearch: {} };
  const parallelAiSearch = { apiKey: "k", enableDataRetention: true };
  const raw: BuiltInTool = { kind: "built-in", name: "parallelAiSearch", wire: { parallelAiSearch } };
  void [keyless, raw];
});

test("settings are typed down to their enum values", () => {
  type Settings = Pick<ModelSettings, "imageConfig" | "speechConfig" | "audioTranscriptionConfig" | "outputConfig">;
  let settings: Settings = {
    imageConfig: { prominentPeople: "BLOCK_PROMINENT_PEOPLE", imageOutputOptions: { compressionQuality: 80 } },
    speechConfig: { voiceConfig: { replicatedVoiceConfig: { voiceConsentSignature: { signature: "s" } } } },
    audioTranscriptionConfig: { languageCodes: ["de"], mode: "SMART", wordTimestamp: true },
    outputConfig: { outputUriPrefix: "gs://a/" },
  };
  // @ts-expect-error -- a list of languages
  settings = { audioTranscriptionConfig: { languageCodes: "de" } };
  void settings;
});

test("answers have their fields, each of which may be absent", () => {
  type Retrieved = NonNullable<GroundingChunk["retrievedContext"]>;
  expectTypeOf<Retrieved["pageNumber"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Retrieved["mediaId"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<NonNullable<Retrieved["customMetadata"]>[number]["numericValue"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<NonNullable<Retrieved["ragChunk"]>["text"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<NonNullable<GroundingChunk["maps"]>>().toHaveProperty("placeAnswerSources");
  expectTypeOf<Candidate["score"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<NonNullable<GenerateContentResponse["modelStatus"]>["retirementTime"]>().toEqualTypeOf<
    string | undefined
  >();
  expectTypeOf<NonNullable<Part["speechMetadata"]>["speaker"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Part["mediaProcessing"]>().toEqualTypeOf<"STATIC" | "AGENTIC" | (string & {}) | undefined>();
  expectTypeOf<Source["pageNumber"]>().toEqualTypeOf<number | undefined>();
});
