import { geminiApi } from "@pollux/core";
import { score as scale, yesNo } from "@pollux/core/decisions";
import { expect, test } from "vitest";
import { decides } from "../../src/index.ts";
import { trial } from "../helpers/trial.ts";

const asked = trial({ input: "Where is it?", text: "On Friday." });

/** A service that answers every question like this. */
function service(answer: object, feedback?: object) {
  const bodies: unknown[] = [];
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    bodies.push(await new Response(init.body ?? "").json());
    const usage = { total_input_tokens: 7, total_output_tokens: 0 };
    return Response.json({ answers: { asked: answer }, usage, ...(feedback && { prompt_feedback: feedback }) });
  };
  const endpoint = geminiApi({ apiKey: "AIza-secret-key" });
  return { bodies, options: { fetch, endpoint, prices: { input: 1_000_000, output: 0 }, retry: { maxAttempts: 1 } } };
}

test("a yes/no question scores by the probability of a yes, of quoted data", async () => {
  const { bodies, options } = service({ type: "noul", noul: 0.93 });
  expect(await decides("Is a day named?", options)(asked)).toEqual({
    name: "Is a day named?",
    score: 0.93,
    metadata: { reason: "yes by 93 %", cost: 7 },
  });
  expect(bodies).toEqual([
    {
      model: "gemini-decision-1",
      input: [{ type: "text", text: '{"input":"Where is it?","answer":"On Friday."}' }],
      questions: { asked: { type: "noul", instructions: "Is a day named?" } },
    },
  ]);
});

test("a scale scores by how far up it is", async () => {
  const { options } = service({
    type: "score",
    score: 1.5,
    probabilities: { "0": 0.1, "1": 0.3, "2": 0.6 },
    confidence: 0.6,
  });
  const scorer = decides(scale("How clear?", ["not", "rather", "wholly"]), {
    ...options,
    name: "clear",
    threshold: 0.6,
  });
  expect(await scorer(asked)).toEqual({ name: "clear", score: 0.75, metadata: { reason: "wholly by 60 %", cost: 7 } });
  expect({ ...scorer }).toMatchObject({ threshold: 0.6, isAdvisory: true });
});

test("a blocked input and a failure cannot be told", async () => {
  const blocked = service({}, { block_reason: "safety" });
  expect(await decides("Is it?", blocked.options)(asked)).toMatchObject({
    score: null,
    metadata: { reason: "blocked: safety" },
  });
  const { options } = service({ type: "noul" });
  expect(await decides("Is it?", options)(asked)).toMatchObject({
    score: null,
    metadata: { reason: 'the judge failed: The service gave no valid answer to the question "asked".' },
  });
});

test("learns its threshold from labels; what counts as a yes is part of its key", async () => {
  const { options } = service({});
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    const noul = JSON.stringify(await new Response(init.body ?? "").json()).includes("Friday") ? 0.8 : 0.3;
    return Response.json({ answers: { asked: { type: "noul", noul } } });
  };
  const labels = Array.from({ length: 40 }, (_, index) => ({
    input: `${index}`,
    answer: index % 2 === 0 ? "Friday" : "Soon",
    label: index % 2 === 0,
  }));
  const scorer = decides("Is a day named?", { ...options, fetch, labels });
  await scorer.prepare({ folder: ".", signal: asked.signal });
  expect({ ...scorer }).toMatchObject({ isAdvisory: false, threshold: 0.55 });
  expect(decides(yesNo("Is it?", { yes: "a day" })).key).not.toBe(decides("Is it?").key);
});
