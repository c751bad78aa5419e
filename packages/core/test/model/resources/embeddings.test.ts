import { cometapi, ConfigurationError, type Endpoint, geminiApi, media, vertex } from "@pollux/core";
import { cosineSimilarity, embed, embedMany, type EmbedManyOptions, type EmbedOptions } from "@pollux/core/resources";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerTo, refusal, textsOf } from "../../helpers/embedding-service.ts";

const NEW = "gemini-embedding-2";
const OLD = "gemini-embedding-001";
const GOOGLE = geminiApi({ apiKey: "key" });
const VERTEX = vertex({ apiKey: "key" });
const COMET = cometapi({ apiKey: "key" });
const IMAGE = media(new Uint8Array([137, 80, 78, 71]), "image/png");
const IMAGE_PART = { inlineData: { mimeType: "image/png", data: "iVBORw==" } };
const user = (...parts: readonly object[]) => ({ role: "user", parts });
const text = (value: string) => user({ text: value });

/** Sends requests nowhere, and keeps their paths and bodies. */
function recorded(endpoint: Endpoint, answer = answerTo) {
  const sent: unknown[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const body = await new Response(init.body ?? "").text();
    const target = url.replace(/^https:\/\/[^/]+\//, "");
    sent.push([target, JSON.parse(body)]);
    return Response.json(answer({ target, texts: textsOf(body) }));
  };
  return { sent, options: { endpoint, fetch, retry: { maxAttempts: 1 } } };
}

describe("embed sends", () => {
  test.each<[string, Endpoint, Parameters<typeof embed>[0], EmbedOptions, string, object]>([
    ["a text", GOOGLE, "t1", { model: NEW }, `v1beta/models/${NEW}:embedContent`, { content: text("t1") }],
    [
      "an image and a text together",
      GOOGLE,
      [IMAGE, "t1"],
      { model: NEW, outputDimensionality: 768 },
      `v1beta/models/${NEW}:embedContent`,
      { content: user(IMAGE_PART, { text: "t1" }), outputDimensionality: 768 },
    ],
    [
      "a part in wire format",
      GOOGLE,
      { fileData: { fileUri: "gs://bucket/a.pdf", mimeType: "application/pdf" } },
      { model: NEW },
      `v1beta/models/${NEW}:embedContent`,
      { content: user({ fileData: { fileUri: "gs://bucket/a.pdf", mimeType: "application/pdf" } }) },
    ],
    [
      "the task type in a field to the first generation",
      GOOGLE,
      { title: "Tides", content: "t1" },
      { model: OLD, taskType: "RETRIEVAL_DOCUMENT", outputDimensionality: 256 },
      `v1beta/models/${OLD}:embedContent`,
      { content: text("t1"), taskType: "RETRIEVAL_DOCUMENT", title: "Tides", outputDimensionality: 256 },
    ],
    [
      "task types that it does not know to the first generation",
      GOOGLE,
      "t1",
      { model: `models/${OLD}`, taskType: "NEWER_TASK" },
      `v1beta/models/${OLD}:embedContent`,
      { content: text("t1"), taskType: "NEWER_TASK" },
    ],
    [
      "a titled document to newer models",
      GOOGLE,
      { title: "Tides", content: "t1" },
      { model: NEW, taskType: "RETRIEVAL_DOCUMENT" },
      `v1beta/models/${NEW}:embedContent`,
      { content: text("title: Tides | text: t1") },
    ],
    [
      "the task before the first text only",
      GOOGLE,
      [IMAGE, "t1", "t2"],
      { model: NEW, taskType: "RETRIEVAL_DOCUMENT" },
      `v1beta/models/${NEW}:embedContent`,
      { content: user(IMAGE_PART, { text: "title: none | text: t1" }, { text: "t2" }) },
    ],
    [
      "media without text as they are",
      GOOGLE,
      IMAGE,
      { model: NEW, taskType: "RETRIEVAL_DOCUMENT" },
      `v1beta/models/${NEW}:embedContent`,
      { content: user(IMAGE_PART) },
    ],
    [
      "the same to a gateway",
      COMET,
      "t1",
      { model: OLD, taskType: "CLUSTERING" },
      `v1beta/models/${OLD}:embedContent`,
      { content: text("t1"), taskType: "CLUSTERING" },
    ],
    [
      "predict to the first generation on Vertex",
      VERTEX,
      { title: "Tides", content: ["t1", "t2"] },
      { model: OLD, taskType: "RETRIEVAL_DOCUMENT", outputDimensionality: 256, autoTruncate: false },
      `v1beta1/publishers/google/models/${OLD}:predict`,
      {
        instances: [{ content: "t1\nt2", task_type: "RETRIEVAL_DOCUMENT", title: "Tides" }],
        parameters: { outputDimensionality: 256, autoTruncate: false },
      },
    ],
    [
      "a bare predict on Vertex",
      VERTEX,
      "t1",
      { model: "text-embedding-005" },
      "v1beta1/publishers/google/models/text-embedding-005:predict",
      { instances: [{ content: "t1" }] },
    ],
    [
      "a config to newer models on Vertex",
      VERTEX,
      "t1",
      { model: NEW, taskType: "CODE_RETRIEVAL_QUERY", outputDimensionality: 256, autoTruncate: false },
      `v1beta1/publishers/google/models/${NEW}:embedContent`,
      {
        content: text("task: code retrieval | query: t1"),
        embedContentConfig: { outputDimensionality: 256, autoTruncate: false },
      },
    ],
    [
      "no config without options on Vertex",
      VERTEX,
      "t1",
      { model: NEW },
      `v1beta1/publishers/google/models/${NEW}:embedContent`,
      { content: text("t1") },
    ],
  ])("%s", async (_, endpoint, input, own, path, body) => {
    const { sent, options } = recorded(endpoint);
    const { embedding, usage } = await embed(input, { ...options, ...own });
    expect(sent).toEqual([[path, body]]);
    expect(embedding).toHaveLength(2);
    expect(usage).toMatchObject({ requests: 1, incomplete: false });
  });

  test.each([
    ["RETRIEVAL_QUERY", "task: search result | query: t1"],
    ["QUESTION_ANSWERING", "task: question answering | query: t1"],
    ["FACT_VERIFICATION", "task: fact checking | query: t1"],
    ["CODE_RETRIEVAL_QUERY", "task: code retrieval | query: t1"],
    ["CLASSIFICATION", "task: classification | query: t1"],
    ["CLUSTERING", "task: clustering | query: t1"],
    ["SEMANTIC_SIMILARITY", "task: sentence similarity | query: t1"],
    ["RETRIEVAL_DOCUMENT", "title: none | text: t1"],
  ])("%s to newer models as the documented phrase", async (taskType, expected) => {
    const { sent, options } = recorded(GOOGLE);
    await embed("t1", { ...options, model: NEW, taskType });
    expect(sent).toEqual([[`v1beta/models/${NEW}:embedContent`, { content: text(expected) }]]);
  });
});

describe("embedMany sends", () => {
  test.each<[string, Endpoint, EmbedManyOptions, readonly (readonly [string, object])[]]>([
    [
      "one batch",
      GOOGLE,
      { model: NEW, taskType: "CLUSTERING", outputDimensionality: 8 },
      [
        [
          `v1beta/models/${NEW}:batchEmbedContents`,
          {
            requests: ["t1", "t2"].map((value) => ({
              model: `models/${NEW}`,
              content: text(`task: clustering | query: ${value}`),
              outputDimensionality: 8,
            })),
          },
        ],
      ],
    ],
    [
      "one batch to a gateway",
      COMET,
      { model: OLD, taskType: "CLUSTERING" },
      [
        [
          `v1beta/models/${OLD}:batchEmbedContents`,
          {
            requests: ["t1", "t2"].map((value) => ({
              model: `models/${OLD}`,
              content: text(value),
              taskType: "CLUSTERING",
            })),
          },
        ],
      ],
    ],
    [
      "single requests on Vertex",
      VERTEX,
      { model: NEW },
      ["t1", "t2"].map((value) => [`v1beta1/publishers/google/models/${NEW}:embedContent`, { content: text(value) }]),
    ],
    [
      "single instances to Gemini models on Vertex",
      VERTEX,
      { model: OLD },
      ["t1", "t2"].map((value) => [
        `v1beta1/publishers/google/models/${OLD}:predict`,
        { instances: [{ content: value }] },
      ]),
    ],
    [
      "several instances to other models on Vertex",
      VERTEX,
      { model: "text-embedding-005" },
      [
        [
          "v1beta1/publishers/google/models/text-embedding-005:predict",
          { instances: [{ content: "t1" }, { content: "t2" }] },
        ],
      ],
    ],
  ])("%s", async (_, endpoint, own, expected) => {
    const { sent, options } = recorded(endpoint);
    const result = await embedMany(["t1", "t2"], { ...options, ...own });
    expect(sent).toEqual(expected);
    expect(result).toMatchObject({
      embeddings: [
        [1, 1],
        [2, 1],
      ],
      usage: { requests: expected.length, inputTokens: 4, totalTokens: 4, outputTokens: 0, incomplete: false },
    });
  });

  test("nothing for no inputs", async () => {
    const { sent, options } = recorded(GOOGLE);
    const { embeddings, usage } = await embedMany([], { ...options, model: NEW });
    expect({ sent, embeddings, requests: usage.requests }).toEqual({ sent: [], embeddings: [], requests: 0 });
  });
});

test("usage is incomplete where the service counts nothing", async () => {
  const { options } = recorded(GOOGLE, () => ({ embedding: { values: [1] } }));
  const { usage } = await embed("t1", { ...options, model: OLD });
  expect(usage).toMatchObject({ requests: 1, inputTokens: 0, incomplete: true });
});

test.each([
  [GOOGLE, NEW, {}, "$.embedding.values"],
  [GOOGLE, NEW, { embedding: null }, "$.embedding.values"],
  [VERTEX, OLD, { predictions: [null] }, "$.predictions[0].embeddings.values"],
  [VERTEX, OLD, { predictions: [{ embeddings: { values: "1" } }] }, "$.predictions[0].embeddings.values"],
  [VERTEX, OLD, { predictions: {} }, "$"],
])("an answer without a vector is an ApiShapeError with its path %#", async (endpoint, model, answer, path) => {
  const { options } = recorded(endpoint, () => answer);
  await expect(embed("t1", { ...options, model })).rejects.toMatchObject({ code: "api_shape", path });
});

test.each(["1e999", "-1e999", "1,1e999", '"1"', '"NaN"', "null"])(
  "a vector of %s is an ApiShapeError: it cannot be compared with others",
  async (values) => {
    const fetch = async (): Promise<Response> =>
      new Response(`{"embedding":{"values":[${values}]}}`, { headers: { "content-type": "application/json" } });
    await expect(embed("t1", { endpoint: GOOGLE, fetch, model: NEW, retry: { maxAttempts: 1 } })).rejects.toMatchObject(
      {
        code: "api_shape",
        path: "$.embedding.values",
      },
    );
  },
);

test("usage that is null counts as absent", async () => {
  const { options } = recorded(GOOGLE, () => ({ embedding: { values: [1] }, usageMetadata: null }));
  expect((await embed("t1", { ...options, model: NEW })).usage).toMatchObject({ inputTokens: 0, incomplete: true });
});

describe("is rejected before anything is sent:", () => {
  // What JavaScript, and no type check, lets through.
  const noModel = {} as EmbedOptions;
  const nothing = undefined as unknown as string;
  test.each<[string, Endpoint, Parameters<typeof embed>[0], EmbedOptions, object]>([
    ["an empty text", GOOGLE, "", { model: NEW }, new TypeError("input 0 is empty, or has an empty text: remove it")],
    ["no part", GOOGLE, [], { model: NEW }, new TypeError("input 0 is empty, or has an empty text: remove it")],
    ["no model", GOOGLE, "t1", noModel, new TypeError('embeddings require a model, such as "gemini-embedding-2"')],
    ["no input", GOOGLE, nothing, { model: NEW }, expect.any(TypeError)],
    [
      "dimensions that are no number of them",
      GOOGLE,
      "t1",
      { model: NEW, outputDimensionality: 0.5 },
      new TypeError("outputDimensionality must be an integer of at least 1, got 0.5"),
    ],
    [
      "a title of something other than a document",
      GOOGLE,
      { title: "Tides", content: "t1" },
      { model: OLD, taskType: "RETRIEVAL_QUERY" },
      new ConfigurationError('A title is only used with taskType: "RETRIEVAL_DOCUMENT": add it, or leave out titles.'),
    ],
    [
      "a task that newer models have no phrase for",
      GOOGLE,
      "t1",
      { model: NEW, taskType: "SEARCH" },
      new ConfigurationError(
        'gemini-embedding-2 does not know taskType "SEARCH"; use one of RETRIEVAL_DOCUMENT, RETRIEVAL_QUERY, ' +
          "QUESTION_ANSWERING, FACT_VERIFICATION, CODE_RETRIEVAL_QUERY, CLASSIFICATION, CLUSTERING, SEMANTIC_SIMILARITY, " +
          "or describe the task in the text.",
      ),
    ],
    [
      "autoTruncate outside Vertex",
      GOOGLE,
      "t1",
      { model: NEW, autoTruncate: false },
      new ConfigurationError("autoTruncate is an option of Vertex: leave it out for other endpoints."),
    ],
    [
      "media to the first generation on Vertex",
      VERTEX,
      IMAGE,
      { model: OLD },
      new ConfigurationError(
        "gemini-embedding-001 embeds only text: use gemini-embedding-2 for images and other media.",
      ),
    ],
  ])("%s", async (_, endpoint, input, own, error) => {
    const { sent, options } = recorded(endpoint);
    await expect(embed(input, { ...options, ...own })).rejects.toEqual(error);
    await expect(embedMany([input], { ...options, ...own })).rejects.toEqual(error);
    expect(sent).toEqual([]);
  });

  test("media that are still a promise", async () => {
    const { options } = recorded(GOOGLE);
    // As above.
    const promised = media(new Blob(["a"], { type: "image/png" })) as unknown as string;
    await expect(embedMany(["t1", promised], { ...options, model: NEW })).rejects.toThrow(
      /input 1 .*await media\(blob\)/,
    );
  });

  test.each([0, Number.NaN])("maxConcurrent: %s", async (maxConcurrent) => {
    const { options } = recorded(GOOGLE);
    const result = embedMany(["t1"], { ...options, model: NEW, maxConcurrent });
    await expect(result).rejects.toThrow("maxConcurrent must be at least 1");
  });
});

test("an endpoint without embeddings is a configuration error, an unknown model is not", async () => {
  const answer = (status: number, body: object) => ({ fetch: async () => Response.json(body, { status }) });
  const unknown = embed("t1", { model: NEW, endpoint: COMET, ...answer(404, {}) });
  await expect(unknown).rejects.toThrow(
    "api.cometapi.com does not support embeddings (HTTP 404): use Google's endpoint, or Vertex, for them.",
  );
  const model = embed("t1", { model: "none", endpoint: GOOGLE, ...answer(404, refusal(404, "NOT_FOUND")) });
  await expect(model).rejects.toMatchObject({ code: "api_status", status: 404 });
});

describe("cosineSimilarity", () => {
  test.each<[readonly number[], readonly number[], number]>([
    [[1, 2], [2, 4], 1],
    [[1, 0], [0, 3], 0],
    [[1, 1], [-2, -2], -1],
    [[0, 0], [1, 1], 0],
    [[], [], 0],
  ])("of %j and %j is %d", (left, right, expected) => {
    expect(cosineSimilarity(left, right)).toBeCloseTo(expected, 12);
    expect(cosineSimilarity(new Float32Array(left), new Float32Array(right))).toBeCloseTo(expected, 6);
  });

  test("is symmetric, and from -1 to 1", () => {
    const vector = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(vector, vector, (left, right) => {
        const similarity = cosineSimilarity(left, right);
        expect(Math.abs(similarity)).toBeLessThanOrEqual(1 + 1e-9);
        expect(cosineSimilarity(right, left)).toBe(similarity);
      }),
    );
  });

  test("rejects vectors of different dimensions", () => {
    expect(() => cosineSimilarity([1], [1, 2])).toThrow(
      new TypeError("the vectors have 1 and 2 dimensions: embed both with the same model and options"),
    );
  });
});
