import { geminiApi } from "@pollux/core";
import { score as scale, yesNo } from "@pollux/core/decisions";
import { createEmulator, type DecisionOptions } from "@pollux/emulator";
import { expect, test } from "vitest";
import { decides } from "../../src/index.ts";
import { trial } from "../helpers/trial.ts";

const asked = trial({ input: "Where is it?", text: "On Friday." });
const prices = { input: 1_000_000, output: 0 };

/** Options for a service that answers like this, and what it was sent. */
function service(answer: NonNullable<DecisionOptions["answer"]>) {
  const sent: unknown[] = [];
  const emulator = createEmulator({
    decisions: {
      answer: (request) => {
        sent.push(request);
        return answer(request);
      },
    },
  });
  return {
    sent,
    options: { fetch: emulator.fetch.bind(emulator), endpoint: geminiApi({ apiKey: "emulator" }), prices },
  };
}

test("a yes/no question scores by the probability of a yes, of quoted data", async () => {
  const { sent, options } = service(() => ({ answers: { asked: 0.93 } }));
  expect(await decides("Is a day named?", options)(asked)).toEqual({
    name: "Is a day named?",
    score: 0.93,
    metadata: { reason: "93% yes", cost: expect.any(Number) },
  });
  expect(sent).toEqual([
    expect.objectContaining({
      input: [{ type: "text", text: '{"input":"Where is it?","answer":"On Friday."}' }],
      questions: { asked: { type: "noul", instructions: "Is a day named?" } },
    }),
  ]);
});

test("a scale scores by how far up it is", async () => {
  const { options } = service(() => ({ answers: { asked: { "0": 1, "1": 3, "2": 6 } } }));
  const question = scale("How clear?", ["not", "rather", "wholly"]);
  const scorer = decides(question, { ...options, prices: undefined, name: "clear", threshold: 0.6 });
  expect(await scorer(asked)).toEqual({ name: "clear", score: 0.75, metadata: { reason: "wholly by 60%" } });
  expect({ ...scorer }).toMatchObject({ threshold: 0.6, isAdvisory: true });
});

test("a blocked input and a failure have no score", async () => {
  const blocked = service(() => ({ blocked: { reason: "safety" } }));
  expect(await decides("Is it?", blocked.options)(asked)).toMatchObject({
    score: null,
    metadata: { reason: "blocked: safety" },
  });
  const { options } = service(() => undefined);
  expect(await decides("Is it?", { ...options, model: "gemini-decision-0" })(asked)).toMatchObject({
    score: null,
    metadata: { reason: expect.stringMatching(/^the judge failed: .*gemini-decision-0/) },
  });
});

test("learns its threshold from labels; what counts as a yes is part of its key", async () => {
  const { options } = service((request) => ({
    answers: { asked: JSON.stringify(request).includes("Friday") ? 0.8 : 0.3 },
  }));
  const labels = Array.from({ length: 40 }, (_, index) => ({
    input: `${index}`,
    answer: index % 2 === 0 ? "Friday" : "Soon",
    label: index % 2 === 0,
  }));
  const scorer = decides("Is a day named?", { ...options, labels });
  await scorer.prepare({ folder: ".", signal: asked.signal });
  expect({ ...scorer }).toMatchObject({ isAdvisory: false, threshold: 0.55 });
  expect(decides(yesNo("Is it?", { yes: "a day" })).key).not.toBe(decides("Is it?").key);
});
