import { Agent, googleSearch } from "@pollux/core";
import { grounded, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { cites } from "../../src/index.ts";
import { trial, tryAgent } from "../helpers/trial.ts";

const TEXT = "Schuhe können Sie 30 Tage lang zurückgeben. Risse sind nicht gedeckt.";
const returns = { uri: "https://shop.example/policies/returns", title: "Our Returns", supports: ["30 Tage lang"] };
const warranty = { uri: "https://shop.example/warranty", supports: ["Risse sind nicht gedeckt."] };

function answer(turn: ScriptedTurn) {
  return tryAgent(new Agent({ model: new ScriptedModel(turn), tools: [googleSearch()] }), "How long?");
}

/** A chunk of File Search, cited for a range in bytes. */
function fromFile(segment: object): ScriptedTurn {
  const chunk = { retrievedContext: { title: "Policy", documentName: "fileSearchStores/shop/documents/returns-2026" } };
  const groundingMetadata = { groundingChunks: [chunk], groundingSupports: [{ segment, groundingChunkIndices: [0] }] };
  return { ...say(TEXT), candidate: { groundingMetadata } };
}

test.each([
  ["any source", undefined],
  ["a part of its address", "policies/returns"],
  ["its title, in any case", "our returns"],
  ["an expression", /returns$/],
])("cited by %s", async (_what, source) => {
  expect(await cites(source)(await answer(grounded(TEXT, { sources: [warranty, returns] })))).toEqual({
    name: "cites",
    score: 1,
  });
});

test("cited by the name of a document, at its bytes", async () => {
  const start = Buffer.byteLength("Schuhe können Sie ");
  const segment = { startIndex: start, endIndex: start + 12, text: "30 Tage lang" };
  expect(await cites("returns-2026")(await answer(fromFile(segment)))).toEqual({ name: "cites", score: 1 });
});

test("a source that the answer does not use, and no citation at all", async () => {
  const unused = { ...returns, supports: [] };
  expect(await cites("returns")(await answer(grounded(TEXT, { sources: [warranty, unused] })))).toEqual({
    name: "cites",
    score: 0,
    metadata: { reason: "cites shop.example, not returns" },
  });
  expect(await cites()(await answer(say(TEXT)))).toEqual({
    name: "cites",
    score: 0,
    metadata: { reason: "nothing is cited" },
  });
  expect(await cites()(trial())).toMatchObject({ score: 0 });
});

test("a cited text that the answer does not have is no citation", async () => {
  const segment = { startIndex: 0, endIndex: 12, text: "90 Tage lang" };
  expect(await cites("returns")(await answer(fromFile(segment)))).toEqual({
    name: "cites",
    score: 0,
    metadata: { reason: 'the answer does not have the cited text "90 Tage lang"' },
  });
});

test("a range that the service miscounted is found near it", async () => {
  const start = "Schuhe können Sie ".length;
  const segment = { startIndex: start, endIndex: start + 12, text: "30 Tage lang" };
  expect(await cites("returns")(await answer(fromFile(segment)))).toEqual({ name: "cites", score: 1 });
});
