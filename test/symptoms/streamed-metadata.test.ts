import { Agent, type Part, type RunResult } from "@pollux/core";
import { ApiShapeError } from "@pollux/core/errors";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { add } from "../support/trip.ts";
import { chunk, eventStream, openRawService } from "../support/raw-service.ts";

const text = (said: string): Part => ({ text: said });

/** A chunk with a text, and more fields in its candidate. */
const piece = (said: string, more: object, usageMetadata?: object, finishReason?: string): object => ({
  candidates: [
    { content: { role: "model", parts: [text(said)] }, index: 0, ...(finishReason && { finishReason }), ...more },
  ],
  ...(usageMetadata && { usageMetadata }),
});

describe.each(faces)("%s", (_face, read) => {
  /** Runs once against a stream of these chunks. */
  async function ask(...chunks: readonly object[]): Promise<RunResult> {
    await using service = await openRawService({ body: eventStream(...chunks) });
    return await read(new Agent({ model: service.model(), tools: [add], limits: { restarts: 0 } }), "Go.");
  }

  test.each(["citations", "citationSources"])(
    "%s that come in several chunks are all kept, each once",
    async (name) => {
      const [first, second, third] = [
        { endIndex: 5, uri: "https://a.example" },
        { startIndex: 6, endIndex: 9, title: "B" },
        { startIndex: 6, endIndex: 9, title: "B", license: "mit" },
      ];
      const result = await ask(
        piece("One ", { citationMetadata: { [name]: [first] } }),
        piece("two ", {}),
        piece("three ", { citationMetadata: { [name]: [second], checked: true } }),
        piece("four ", { citationMetadata: { [name]: [] } }),
        piece("five", { citationMetadata: { [name]: [first, second, third] } }, undefined, "STOP"),
      );
      expect(result.response?.candidate.citationMetadata).toEqual({ [name]: [first, second, third], checked: true });
    },
  );

  test("lists add up, also unknown ones; ratings and grounding's indexed lists are replaced, objects are merged", async () => {
    const page = (retrievedUrl: string) => ({ retrievedUrl, urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" });
    const rating = (probability: string) => ({ category: "HARM_CATEGORY_HARASSMENT", probability });
    const chunks = [{ web: { uri: "https://a.example" } }, { web: { uri: "https://b.example" } }];
    const result = await ask(
      piece("One ", {
        urlContextMetadata: { urlMetadata: [page("a")] },
        groundingMetadata: { webSearchQueries: ["what"], groundingChunks: chunks.slice(0, 1) },
        safetyRatings: [rating("LOW")],
        news: { from: "here", list: [{ n: 1 }, 1] },
      }),
      piece("two", {
        urlContextMetadata: { urlMetadata: [page("b")] },
        groundingMetadata: { webSearchQueries: ["what", "who"], groundingChunks: chunks },
      }),
      piece(
        "",
        { safetyRatings: [rating("NEGLIGIBLE")], news: { to: "there", list: [2, { n: 1 }, 2] } },
        undefined,
        "STOP",
      ),
    );
    expect(result.response?.candidate).toEqual({
      index: 0,
      finishReason: "STOP",
      urlContextMetadata: { urlMetadata: [page("a"), page("b")] },
      groundingMetadata: { webSearchQueries: ["what", "who"], groundingChunks: chunks },
      safetyRatings: [rating("NEGLIGIBLE")],
      news: { from: "here", to: "there", list: [{ n: 1 }, 1, 2, 2] },
    });
    expect(result.usage.searchQueries).toBe(2);
  });

  test("a signature after the finish reason belongs to the answer, and does not begin more of it", async () => {
    const signed: Part = { text: "", thoughtSignature: "c2ln" };
    const result = await ask(chunk([text("Done.")], "STOP"), chunk([signed]));
    expect(result).toMatchObject({ stopReason: "finished", text: "Done." });
    expect(result.contents[1]).toEqual({ role: "model", parts: [text("Done."), signed] });
  });

  test("log probabilities are those of every token, also of equal ones", async () => {
    const [yes, no] = ["yes", "no"].map((token) => ({ token, logProbability: 0 }));
    const logprobs = (...chosenCandidates: readonly unknown[]) => ({
      logprobsResult: { chosenCandidates, topCandidates: chosenCandidates.map(() => ({ candidates: [yes, no] })) },
    });
    const result = await ask(
      piece("yes", logprobs(yes)),
      piece("yes", logprobs(yes)),
      piece("no", { ...logprobs(no), avgLogprobs: -0.5 }, undefined, "STOP"),
    );
    expect(result.response?.candidate).toMatchObject({ ...logprobs(yes, yes, no), avgLogprobs: -0.5 });
  });

  test("usage has the counters of the last chunk that has any, and everything else that came", async () => {
    const result = await ask(
      piece("One ", {}, { promptTokenCount: 5, billablePromptUsage: { textCount: 203 }, trafficType: "ON_DEMAND" }),
      piece("two ", {}, { promptTokenCount: 60, candidatesTokenCount: 7, totalTokenCount: 67 }),
      piece("three", {}, { promptTokenCount: 87, thoughtsTokenCount: 78, totalTokenCount: 165 }, "STOP"),
      { usageMetadata: { trafficType: "PROVISIONED_THROUGHPUT" } },
    );
    expect(result.response?.envelope.usageMetadata).toEqual({
      billablePromptUsage: { textCount: 203 },
      trafficType: "PROVISIONED_THROUGHPUT",
      promptTokenCount: 87,
      thoughtsTokenCount: 78,
      totalTokenCount: 165,
    });
    expect(result.usage).toMatchObject({ inputTokens: 87, outputTokens: 0, thoughtTokens: 78, totalTokens: 165 });
  });

  test("counters in decimal digits are numbers", async () => {
    const given = {
      promptTokenCount: "99",
      candidatesTokenCount: "0",
      totalTokenCount: "99",
      thoughtsTokenCount: null,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: "99" }],
    };
    const result = await ask(piece("Hi.", {}, given, "STOP"));
    expect(result.usage).toMatchObject({ inputTokens: 99, outputTokens: 0, thoughtTokens: 0, totalTokens: 99 });
    expect(result.response?.envelope.usageMetadata).toEqual({
      promptTokenCount: 99,
      candidatesTokenCount: 0,
      totalTokenCount: 99,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 99 }],
    });
  });

  test.each([
    ["promptTokenCount", "099"],
    ["promptTokenCount", "many"],
    ["candidatesTokenCount", ""],
    ["thoughtsTokenCount", "-1"],
    ["totalTokenCount", "1.5"],
    ["totalTokenCount", 1.5],
    ["totalTokenCount", "99999999999999999999"],
    ["nextYearsTokenCount", true],
  ])("the counter %s is refused as %j, by name", async (name, count) => {
    const failed = await ask(piece("Hi.", {}, { [name]: count }, "STOP")).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ApiShapeError);
    expect(failed).toMatchObject({ code: "api_shape", path: `$.usageMetadata.${name}` });
  });

  test("a null member is absent: it is neither read nor sent back", async () => {
    const call = { id: null, name: "add", args: { a: 1, b: 2, note: null }, willContinue: null };
    const none = { text: null, functionCall: null, inlineData: null, thoughtSignature: null, tomorrow: null };
    await using service = await openRawService(
      {
        body: eventStream(
          {
            candidates: [
              {
                index: null,
                finishReason: null,
                safetyRatings: null,
                tomorrow: null,
                content: { role: null, parts: [{ ...none, text: "One ", thought: null }, none] },
              },
            ],
          },
          chunk([
            { ...none, text: "moment." },
            { ...none, thoughtSignature: "c2ln" },
            { ...none, functionCall: call },
          ]),
          { candidates: [{ index: "0", content: null, finishReason: "STOP", citationMetadata: null }] },
        ),
      },
      { body: eventStream(chunk([text("Three.")], "STOP")) },
    );
    const result = await read(new Agent({ model: service.model(), tools: [add] }), "Add.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Three." });
    const said = {
      role: "model",
      parts: [
        text("One moment."),
        { text: "", thoughtSignature: "c2ln" },
        { functionCall: { name: "add", args: { a: 1, b: 2, note: null } } },
      ],
    };
    expect(result.contents[1]).toEqual(said);
    expect(JSON.parse(service.bodies[1] ?? "")).toMatchObject({ contents: [{}, said, {}] });
    expect(service.bodies[1]).not.toMatch(/null(?!\})/);
  });

  test("of several candidates the first counts, whatever its index is written as", async () => {
    const other = { index: "1", content: { role: "model", parts: [text("Other.")] }, finishReason: "STOP" };
    const first = { index: "0", content: { role: "model", parts: [text("First.")] }, finishReason: "STOP" };
    expect((await ask({ candidates: [other, first] })).text).toBe("First.");
    const failed = await ask({ candidates: [{ ...first, index: "first" }] }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "api_shape", path: "$.candidates[0].index" });
  });
});
