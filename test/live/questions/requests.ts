import { findModel } from "../../../packages/emulator/src/catalog/models.ts";
import { DEV, most, type Question, question, refusalOf, strict, taken, takenAll } from "../question.ts";
import { type LiveRequest, MODEL, pick } from "../service.ts";
import { call, CLOCK, config, hello, mode, response, schema, text, tools, user } from "./bodies.ts";

const LITE = "gemini-3.5-flash-lite";
const lists = (depth: number): unknown =>
  depth <= 1 ? { type: "string" } : { type: "array", items: lists(depth - 1) };
const inside = (a: unknown): unknown => ({ type: "object", properties: { a } });
const members = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `m${index}`);
const keyed = (headers: Readonly<Record<string, string>>): LiveRequest => ({ ...hello(), headers });
const cacheOf = (name: string): LiveRequest => ({
  path: "v1beta/cachedContents",
  body: { model: `models/gemini-4-${name}`, contents: [user(text("Too little to be worth keeping."))] },
});

/** Two mistakes in one request: the reported one shows the order of the checks. */
const ORDER: Readonly<Record<string, LiveRequest>> = {
  "an unknown model and an unknown field": hello({ foo: 1 }, "gemini-9-quartz"),
  "an unknown field and no contents": { body: { contents: [], foo: 1 } },
  "a bad role and two candidates": {
    body: { contents: [{ role: "tool", parts: [text("a")] }], generationConfig: { candidateCount: 2 } },
  },
  "an orphan response and an unsigned call": {
    body: { contents: [user(response()), call("clock", null)], ...CLOCK },
  },
};

/** Whether the service accepts an address, a model, a field or a size. */
export const REQUEST_QUESTIONS: readonly Question[] = [
  question(
    "region",
    "Is the API served where this runs?",
    ["A-6", "regionSupported"],
    async (ask) => {
      const { is, wording = "" } = refusalOf(await ask(config({ maxOutputTokens: 16 }, LITE)));
      return /location/i.test(wording) ? { is: "not here", wording } : { is: is === "taken" ? "here" : is };
    },
    { changes: { "not here": strict({ regionSupported: false }) } },
  ),
  question(
    "models",
    "Which models that generate content does the catalog lack?",
    ["extraModels"],
    async (ask) => {
      const models = pick((await ask({ path: "v1beta/models?pageSize=1000", method: "GET" })).json, "models");
      if (!Array.isArray(models)) return { is: "no list" };
      const generating = models.filter((one) =>
        String(pick(one, "supportedGenerationMethods")).includes("generateContent"),
      );
      const names = generating.map((one) => String(pick(one, "name")).replace("models/", ""));
      return {
        is:
          names
            .filter((name) => findModel(name) === undefined)
            .toSorted()
            .join(", ") || "none",
      };
    },
    { ...DEV, file: "catalog/models.ts" },
  ),
  ...["gemini-flash-latest", "gemini-flash-lite-latest", "gemini-pro-latest"].map((alias) =>
    question(
      `alias-${alias}`,
      `Which model answers as ${alias}?`,
      ["what an alias stands for"],
      async (ask) => ({ is: String(pick((await ask(config({ maxOutputTokens: 16 }, alias))).json, "modelVersion")) }),
      { ...DEV, file: "catalog/models.ts" },
    ),
  ),
  ...takenAll({
    "model-retired": [
      "Is gemini-2.5-flash served, which is closed to new users?",
      "E-71, retiredModels",
      hello({}, "gemini-2.5-flash"),
      { changes: { "not served": strict({ retiredModels: "refuse" }) } },
    ],
    "v1-tools": [
      "Does v1 take instructions and tools?",
      "E-01, oldV1",
      {
        ...hello({ systemInstruction: { parts: [text("Be brief.")] }, ...CLOCK }),
        path: `v1/models/${MODEL}:generateContent`,
      },
      { ...DEV, changes: { refused: strict({ oldV1: true }) } },
    ],
  }),
  most(
    "function-name",
    "How long may the name of a function be?",
    ["E-31", "maxFunctionNameLength"],
    [64, 65, 128, 129],
    (size) => hello(tools({ name: "f".repeat(size), description: "x" })),
    (size) => ({ maxFunctionNameLength: size }),
  ),
  most(
    "forced-enum",
    "How many enum members may mode ANY force?",
    ["E-30", "maxForcedEnumMembers"],
    [100, 500, 1_000, 1_001, 2_000],
    (size) => schema(inside({ type: "string", enum: members(size) }), mode("ANY")),
    (size) => ({ maxForcedEnumMembers: size }),
  ),
  most(
    "schema-states",
    "How long a list may a schema allow?",
    ["E-28", "maxSchemaStates"],
    [100, 1_000, 10_000, 40_000, 99_999],
    (size) => schema(inside({ type: "array", maxItems: size, items: { type: "string" } })),
    (size) => ({ maxSchemaStates: size + 3 }),
  ),
  most(
    "schema-depth",
    "How deep may a schema be nested?",
    ["E-29", "maxSchemaDepth"],
    [8, 16, 32, 33, 64],
    (size) => schema(inside(lists(size))),
    (size) => ({ maxSchemaDepth: size }),
  ),
  ...takenAll({
    "schema-numbers": [
      "Are schema types taken as protobuf's numbers?",
      "schema types as numbers",
      hello(tools({ name: "f", description: "x", parameters: { type: 6, properties: { a: { type: 1 } } } })),
    ],
    "function-bare": [
      "Is a function of only a name taken under ANY?",
      "functions without parameters",
      hello({ ...tools({ name: "f" }), ...mode("ANY") }),
    ],
    "json-forced": [
      "Is JSON output taken beside functions that ANY forces?",
      "JSON output under ANY",
      hello({ ...CLOCK, ...mode("ANY"), generationConfig: { responseMimeType: "application/json" } }),
    ],
  }),
  ...Object.entries(ORDER).map(([what, request], index) =>
    taken(`order-${index + 1}`, `Which is reported first: ${what}?`, ["order of the checks"], request, {
      file: "validate/contract.ts",
    }),
  ),

  ...takenAll({
    store: ["May a request opt out of being kept (store: false)?", "store", hello({ store: false })],
    labels: ["Are labels taken?", "labels", hello({ labels: { team: "a" } })],
    "service-tier": ["Is serviceTier taken in lower case?", "serviceTier", hello({ serviceTier: "standard" }), DEV],
    "maps-types": [
      "Are the grounding types of Maps taken?",
      "groundingTypes",
      hello({ tools: [{ googleMaps: { groundingTypes: { places: {} } } }] }),
    ],
    "audio-of-text-model": [
      "Does a model of text refuse to speak?",
      "responseModalities AUDIO",
      config({ responseModalities: ["AUDIO"] }),
    ],
    "level-lower-case": [
      "Is a thinking level taken in lower case?",
      "spelling of thinkingLevel",
      config({ thinkingConfig: { thinkingLevel: "low" } }),
    ],
  }),
  ...["XHIGH", "xhigh"].map((thinkingLevel) =>
    taken(
      `hydrogen-${thinkingLevel === "xhigh" ? "lower" : "upper"}`,
      `Does Hydrogen take the level ${thinkingLevel}?`,
      ["spelling of xhigh"],
      config({ maxOutputTokens: 256, thinkingConfig: { thinkingLevel } }, "gemini-4-hydrogen"),
    ),
  ),
  ...["carbon", "neon"].map((name) =>
    taken(
      `minimal-${name}`,
      `Does gemini-4-${name} take the level MINIMAL?`,
      ["E-61"],
      config({ thinkingConfig: { thinkingLevel: "MINIMAL" } }, `gemini-4-${name}`),
    ),
  ),
  ...takenAll({
    "temperature-4": [
      "Does Gemini 4 still take a temperature?",
      "temperature on Gemini 4",
      config({ temperature: 0.5 }, "gemini-4-argon"),
    ],
  }),
  ...["argon", "carbon", "hydrogen", "neon"].map((name) =>
    question(
      `cache-${name}`,
      `Are explicit caches offered on gemini-4-${name}?`,
      name === "carbon" || name === "neon" ? ["explicitCaches"] : ["explicit caches of Gemini 4"],
      async (ask) => {
        const { is, wording = "" } = refusalOf(await ask(cacheOf(name)));
        // The service has accepted caches that are too small.
        if (/too small|minimum/i.test(wording)) return { is: "offered" };
        return { is: is === "taken" ? "offered" : "not offered", wording };
      },
      name === "carbon" || name === "neon"
        ? { ...DEV, changes: { offered: strict({ explicitCaches: "accept" }) } }
        : { ...DEV, file: "catalog/models.ts" },
    ),
  ),

  ...takenAll({
    "key-absent": ["How is a request without a key refused?", "A-1", keyed({})],
    "key-wrong": [
      "How is a wrong key refused?",
      "A-2",
      keyed({ "x-goog-api-key": "invalid-made-up-by-pnpm-live" }),
      DEV,
    ],
    "key-as-token": [
      "How is a key refused that is sent as a token?",
      "A-4",
      keyed({ authorization: "Bearer AIzaMadeUpByPnpmLive" }),
      DEV,
    ],
    "comet-flag": [
      "Does the gateway take the flag for built-in tools beside functions?",
      "E-39, cometUpstream",
      hello({
        tools: [{ googleSearch: {}, functionDeclarations: [{ name: "f", description: "x" }] }],
        toolConfig: { includeServerSideToolInvocations: true },
      }),
      { services: ["comet"], changes: { taken: strict({ cometUpstream: "developer" }) } },
    ],
    "comet-key-wrong": [
      "How does the gateway refuse a wrong key?",
      "A-5",
      keyed({ authorization: "Bearer invalid-made-up" }),
      { services: ["comet"] },
    ],
  }),
  question(
    "comet-details",
    "Does the gateway hand on the details of an error?",
    ["details of errors at the gateway"],
    async (ask) => {
      const answer = await ask(hello({ unknownField: 1 }));
      return {
        is: pick(answer.json, "error", "details") === undefined ? "no details" : "details",
        wording: refusalOf(answer).wording,
      };
    },
    { services: ["comet"], file: "validate/error-body.ts" },
  ),
];
