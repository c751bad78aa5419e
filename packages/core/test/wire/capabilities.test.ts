import { describe, expect, test } from "vitest";
import { findKnownModel, inferCapabilities } from "../../src/wire/known-models.ts";

/** One letter per ability, in this order; a dash where it is missing. */
function abilities(id: string): string {
  const can = inferCapabilities(id);
  const flags = [
    ["F", can.functions],
    ["B", can.builtInsWithFunctions],
    ["T", can.outputWithFunctions],
    ["J", can.jsonOutput],
    ["S", can.systemInstruction],
    ["M", can.mediaInFunctionResponses],
    ["I", can.imageOutput],
    ["s", can.streaming],
    ["!", can.signaturesRequired],
  ] as const;
  return flags.map(([letter, value]) => (value ? letter : "-")).join("");
}

function thinking(id: string): string {
  const { thinking: kind, thinkingLevels, thinkingBudget } = inferCapabilities(id);
  if (kind === "level") return thinkingLevels.join(" ");
  return kind === "budget"
    ? `${thinkingBudget?.min}-${thinkingBudget?.max}${thinkingBudget?.zero === true ? " or 0" : ""}`
    : "none";
}

const ALL = "minimal low medium high";
const NOT_MINIMAL = "low medium high";

test.each([
  ["gemini-1.5-flash", "gemini-1", "none", "F--JS--s-"],
  ["gemini-2.0-flash", "gemini-2", "none", "F--JS--s-"],
  ["gemini-2.0-flash-001", "gemini-2", "none", "F--JS--s-"],
  ["gemini-2.0-flash-lite", "gemini-2", "none", "F--JS--s-"],
  ["gemini-2.5-pro", "gemini-2", "128-32768", "F--JS--s-"],
  ["gemini-2.5-flash", "gemini-2", "1-24576 or 0", "F--JS--s-"],
  ["gemini-2.5-flash-lite", "gemini-2", "512-24576 or 0", "F--JS--s-"],
  ["gemini-2.5-flash-image", "gemini-2", "none", "------Is-"],
  ["gemini-2.5-computer-use-preview-10-2025", "gemini-2", "128-24576", "F--JS--s-"],
  ["gemini-2.5-flash-preview-tts", "speech", "none", "-------s-"],
  ["gemini-3-pro-preview", "gemini-3", "low high", "FBTJSM-s!"],
  ["gemini-3-flash-preview", "gemini-3", ALL, "FBTJSM-s!"],
  ["gemini-3-pro-image", "gemini-3", "1-32768", "F---SMIs-"],
  ["gemini-3-pro-image-preview", "gemini-3", "1-32768", "F---SMIs-"],
  ["nano-banana-pro-preview", "gemini-3", "1-32768", "F---SMIs-"],
  ["gemini-3.1-pro-preview", "gemini-3", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-3.1-pro-preview-customtools", "gemini-3", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-3.1-flash-lite", "gemini-3", ALL, "FBTJSM-s!"],
  ["gemini-3.1-flash-image", "gemini-3", ALL, "F---SMIs-"],
  ["gemini-3.1-flash-image-preview", "gemini-3", ALL, "F---SMIs-"],
  ["gemini-3.1-flash-lite-image", "gemini-3", ALL, "F---SMIs-"],
  ["gemini-3.1-flash-tts-preview", "speech", "none", "-------s-"],
  ["gemini-3.8-flash-tts", "speech", "none", "-------s-"],
  ["gemini-3.8-flash-lite-tts", "speech", "none", "-------s-"],
  ["gemini-3.5-flash", "gemini-3", ALL, "FBTJSM-s!"],
  ["gemini-3.5-flash-lite", "gemini-3", ALL, "FBTJSM-s!"],
  ["gemini-3.5-transcribe", "speech", "none", "-------s-"],
  ["gemini-3.6-flash", "gemini-3", ALL, "FBTJSM-s!"],
  ["gemini-3.7-flash", "gemini-3", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-3.8-flash", "gemini-3", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-4-argon", "gemini-4", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-4-carbon", "gemini-4", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-4-hydrogen", "gemini-4", `${NOT_MINIMAL} xhigh`, "FBTJSM-s!"],
  ["gemini-nano-banana-2.1", "gemini-3", "none", "----SMI--"],
  ["gemini-4-neon", "gemini-4", `${NOT_MINIMAL} xhigh`, "FBTJSM-s!"],
  ["gemini-omni-flash-preview", "gemini-3", "none", "F--JSMIs!"],
  ["gemini-robotics-er-1.6-preview", "gemini-3", ALL, "F--JSM-s!"],
  ["gemini-flash-latest", "gemini-3", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemini-flash-lite-latest", "gemini-3", ALL, "FBTJSM-s!"],
  ["gemini-pro-latest", "gemini-3", NOT_MINIMAL, "FBTJSM-s!"],
  ["gemma-3-27b-it", "gemma", "none", "-------s-"],
  ["gemma-4-26b-a4b-it", "gemma", "minimal high", "F--JS--s-"],
  ["gemma-4-31b-it", "gemma", "minimal high", "F--JS--s-"],
])("%s is of family %s, thinks %s and can %s", (id, family, thinks, can) => {
  expect([inferCapabilities(id).family, thinking(id), abilities(id)]).toEqual([family, thinks, can]);
});

describe("an id that is not known", () => {
  test.each([
    ["gemini-9-quark", "gemini-9"],
    ["gemini-10.5-flash", "gemini-10"],
    ["gemini-20-flash", "gemini-20"],
    ["gemini-31-flash-image", "gemini-31"],
    ["gemini-next", "gemini-4"],
    ["tunedModels/my-weather", "gemini-4"],
    ["some-gateway-name", "gemini-4"],
    ["gemini-3.9-flash", "gemini-3"],
    ["gemini-4-xenon", "gemini-4"],
    ["gemini-5-flash-tts", "speech"],
  ])("%s is of family %s, and may be sent anything", (id, family) => {
    const { functions, jsonOutput, officeInput, imageOutput, explicitCaches, ...rest } = inferCapabilities(id);
    expect([functions, jsonOutput, officeInput, imageOutput, explicitCaches]).toEqual([true, true, true, true, true]);
    expect(rest).toMatchObject({ family, thinking: "level", thinkingLevels: [...ALL.split(" "), "xhigh"] });
    expect(findKnownModel(id)).toBeUndefined();
  });
});

test.each(["models/", "publishers/google/models/", "projects/p/locations/global/publishers/google/models/"])(
  "the prefix %s does not matter",
  (prefix) => {
    expect(inferCapabilities(`${prefix}gemini-2.5-pro`)).toEqual(inferCapabilities("gemini-2.5-pro"));
  },
);

test.each([
  ["gemini-2.5-flash", true, 2048, false],
  ["gemini-3-flash-preview", true, 1024, false],
  ["gemini-3.8-flash", true, 4096, false],
  ["gemini-4-argon", false, 6144, false],
  ["gemini-4-carbon", false, 6144, false],
  ["gemini-4-hydrogen", false, 4096, true],
  ["gemini-4-neon", false, 6144, false],
  ["gemini-next", true, undefined, true],
])(
  "%s has explicit caches: %s, implicit ones from %s tokens, and reads Office files: %s",
  (id, explicit, implicit, office) => {
    const { explicitCaches, implicitCacheTokens, officeInput } = inferCapabilities(id);
    expect([explicitCaches, implicitCacheTokens, officeInput]).toEqual([explicit, implicit, office]);
  },
);

test.each([
  ["gemini-3.5-flash", "gemini-3.6-flash"],
  ["gemini-3.7-flash", "gemini-3.8-flash"],
  ["gemini-3.8-flash", undefined],
  ["gemini-3.5-flash-lite", undefined],
])("%s is answered by %s", (id, routedTo) => {
  expect(inferCapabilities(id).routedTo).toBe(routedTo);
});
