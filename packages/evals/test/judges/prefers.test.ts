import { finishes, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { prefers } from "../../src/index.ts";
import { trial } from "../helpers/trial.ts";

const QUESTION = "Which answer is more helpful?";
const compared = trial({ input: "Where is it?", text: "On Friday.", expected: "Soon." });

function choose(better: string) {
  return say(JSON.stringify({ reason: `${better} it is`, better }));
}

/** Chooses by what it reads, in whatever order the requests come. */
function choosing(pick: (seen: { first: string; second: string }) => string, requests = 2): ScriptedModel {
  const line = (request: { contents: readonly { parts: readonly { text?: string | undefined }[] }[] }) =>
    choose(pick(JSON.parse(request.contents[0]?.parts[0]?.text ?? "") as { first: string; second: string }));
  return new ScriptedModel(...Array.from({ length: requests }, () => line));
}

test.each([
  [
    "the trial's answer in both orders",
    ({ first }: { first: string }) => (first === "On Friday." ? "first" : "second"),
    1,
    "first it is",
  ],
  [
    "the other in both orders",
    ({ first }: { first: string }) => (first === "Soon." ? "first" : "second"),
    0,
    "second it is",
  ],
  ["whichever comes first", () => "first", 0.5, "a tie: it prefers whichever comes first"],
  ["neither", () => "neither", 0.5, "a tie: neither it is"],
])("prefers %s", async (_what, pick, score, reason) => {
  const model = choosing(pick);
  expect(await prefers(QUESTION, { model })(compared)).toEqual({ name: QUESTION, score, metadata: { reason } });
  expect(model.requests.map(({ contents }) => JSON.parse(contents[0]?.parts[0]?.text ?? ""))).toEqual([
    { input: "Where is it?", first: "On Friday.", second: "Soon." },
    { input: "Where is it?", first: "Soon.", second: "On Friday." },
  ]);
});

test("compares with what the suite gives, and not at all with nothing", async () => {
  const model = choosing(({ first }) => (first === "v1" ? "second" : "first"));
  expect(await prefers(QUESTION, { model, against: () => "v1" })(compared)).toMatchObject({ score: 1 });
  expect(await prefers(QUESTION, { model: new ScriptedModel() })(trial())).toEqual({
    name: QUESTION,
    score: null,
    metadata: { reason: "there is nothing to judge" },
  });
});

test("the other answer is part of its key, and how it finds the expected one is not", () => {
  const model = "gemini-3.8-flash";
  expect(prefers(QUESTION, { model }).key).toBe(`prefers("${QUESTION}","gemini-3.8-flash",)`);
  expect(prefers(QUESTION, { model, against: () => "v1" }).key).toBe(
    `prefers("${QUESTION}","gemini-3.8-flash","=>v1")`,
  );
});

test("an order that fails is no preference, and both cost", async () => {
  const model = new ScriptedModel(choose("first"), finishes("SAFETY"));
  const prices = { input: 1_000_000, output: 0 };
  expect(await prefers(QUESTION, { model, prices })(compared)).toEqual({
    name: QUESTION,
    score: null,
    metadata: { reason: `the judge's run ended with "blocked"`, cost: 20 },
  });
});

test("learns its threshold from labelled pairs", async () => {
  const pick = ({ first }: { first: string }) => (first === "good" ? "first" : first === "bad" ? "second" : "neither");
  const model = choosing(pick, 60);
  const labels = Array.from({ length: 30 }, (_, index) => {
    const label = index % 2 === 0;
    return { input: `${index}`, answer: label ? "good" : "bad", other: label ? "bad" : "good", label };
  });
  const scorer = prefers(QUESTION, { model, labels });
  await scorer.prepare({ folder: ".", signal: compared.signal });
  expect({ ...scorer }).toMatchObject({ isAdvisory: false, threshold: 0.5, calibration: { labels: 30 } });
});
