import { geminiApi } from "@pollux/core";
import { decide, yesNo } from "@pollux/core/decisions";
import { expect, test } from "vitest";
import { createEmulator, type EmulatorOptions, type StrictSwitches } from "../src/index.ts";

const REFUND = {
  type: "noul",
  instructions: "Is money asked back?",
  criteria: { true_description: "asks for a refund" },
};
const TEAM = { type: "choice", instructions: "Who handles it?", criteria: { support: "the rest", billing: "charges" } };
const ANGER = { type: "score", instructions: "How angry?", criteria: ["calm", "annoyed", "furious"] };
const REQUEST = {
  model: "gemini-decision-1",
  input: [{ type: "text", text: "Charged twice. I want my money back." }],
  questions: { refund: REFUND, team: TEAM, anger: ANGER },
};
const many = <Value>(count: number, value: Value): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`q${index}`, value]));

interface Answered {
  readonly status: number;
  /** Parsed, if it is JSON. */
  readonly body: unknown;
}

async function post(body: object, options: EmulatorOptions = {}, path = "/v1beta/decisions"): Promise<Answered> {
  const headers = { "x-goog-api-key": "emulator", "content-type": "application/json" };
  const response = await createEmulator(options).fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

test("a script gives the weights, which become probabilities in the order of the options", async () => {
  const answer = () => ({ answers: { refund: 0.999, team: { billing: 9, support: 1 }, anger: { "0": 1, "1": 2 } } });
  expect(await post(REQUEST, { decisions: { answer } })).toEqual({
    status: 200,
    body: {
      answers: {
        refund: { type: "noul", noul: 0.99, confidence: 0.99 },
        team: { type: "choice", choice: "billing", probabilities: { billing: 0.9, support: 0.1 }, confidence: 0.9 },
        anger: {
          type: "score",
          score: 0.6667,
          probabilities: { "0": 0.3333, "1": 0.6667, "2": 0 },
          legend: { "0": "calm", "1": "annoyed", "2": "furious" },
          confidence: 0.6667,
        },
      },
      usage: {
        total_input_tokens: 90,
        total_output_tokens: 0,
        total_tokens: 90,
        input_tokens_by_modality: [{ modality: "text", tokens: 90 }],
      },
    },
  });
});

test("without a script, the words that input and question share decide, the same way each time", async () => {
  const about = async (input: string): Promise<Record<string, Record<string, unknown>>> => {
    const { body } = await post({ ...REQUEST, input });
    expect(await post({ ...REQUEST, input })).toEqual({ status: 200, body });
    return (body as { answers: Record<string, Record<string, unknown>> }).answers;
  };
  const asks = await about("I ask for a refund of these charges, I am furious");
  const thanks = await about("Thanks for the rest of the flowers");
  expect([asks["team"]?.["choice"], thanks["team"]?.["choice"]]).toEqual(["billing", "support"]);
  expect(Number(asks["refund"]?.["noul"])).toBeGreaterThan(0.8);
  expect(Number(thanks["refund"]?.["noul"])).toBeLessThan(0.3);
  expect(Number(asks["anger"]?.["score"])).toBeGreaterThan(Number(thanks["anger"]?.["score"]));
  const shares = Object.values(asks["anger"]?.["probabilities"] as Record<string, number>);
  expect(shares.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 10);
});

test("equally likely options are decided by the order of their ids, and media count by their kind", async () => {
  const input = [{ type: "image", mime_type: "image/png", data: "AAAA" }];
  const answer = () => ({ answers: { team: {} } });
  const { body } = await post({ ...REQUEST, input, questions: { team: TEAM } }, { decisions: { answer } });
  expect(body).toMatchObject({
    answers: { team: { choice: "billing", probabilities: { billing: 0.5, support: 0.5 } } },
    usage: { input_tokens_by_modality: [{ modality: "image", tokens: 258 }, { modality: "text" }] },
  });
});

const asked = (question: object): object => ({ ...REQUEST, questions: { q: question } });

test.each([
  ["without input", { ...REQUEST, input: undefined }, /input: must have a text/],
  ["an empty list as input", { ...REQUEST, input: [] }, /input: must have a text/],
  ["an unknown kind of content", { ...REQUEST, input: { type: "thought", text: "x" } }, /input\.type/],
  ["media without a source", { ...REQUEST, input: { type: "image", mime_type: "image/png" } }, /either data or a uri/],
  ["another model", { ...REQUEST, model: "gemini-flash-latest" }, /not supported for decisions/],
  ["no questions", { ...REQUEST, questions: {} }, /1 to 1000/],
  ["1,001 questions", { ...REQUEST, questions: many(1_001, REFUND) }, /1 to 1000/],
  ["a generation setting", { ...REQUEST, generation_config: {} }, /Unknown name "generation_config"/],
  ["an id with a space", { ...REQUEST, questions: { "a b": REFUND } }, /an id must match/],
  ["an unknown type of question", asked({ ...REFUND, type: "boolean" }), /type: must be noul/],
  ["no instructions", asked({ type: "noul" }), /instructions: must have a text/],
  ["media in the instructions", asked({ ...REFUND, instructions: { type: "image" } }), /type: must be text/],
  ["other criteria of a yes", asked({ ...REFUND, criteria: { yes: "x" } }), /unexpected key "yes"/],
  ["options as a list", asked({ ...TEAM, criteria: ["a", "b"] }), /must be a map/],
  ["one option", asked({ ...TEAM, criteria: { a: "a" } }), /2 to 255/],
  ["256 options", asked({ ...TEAM, criteria: many(256, "x") }), /2 to 255/],
  ["an option with spaces around it", asked({ ...TEAM, criteria: { " a": "x", b: "x" } }), /unexpected key " a"/],
  ["an empty level", asked({ ...ANGER, criteria: ["calm", ""] }), /criteria\[1\]/],
  ["too many tokens", { ...REQUEST, input: "x".repeat(1_100_000) }, /exceeds 262144/],
])("a wrong request is refused: %s", async (_, body, message) => {
  const { status, body: refusal } = await post(body);
  const { error } = refusal as { error: { code: number; message: string; status: string } };
  expect(error.message).toMatch(message);
  expect([status, error.status]).toEqual(
    /not supported/.test(error.message) ? [404, "NOT_FOUND"] : [400, "INVALID_ARGUMENT"],
  );
  expect(error.code).toBe(status);
});

const NULLS = asked({ ...TEAM, criteria: { billing: null, support: null } });
const BLOCKS = { answer: () => ({ blocked: { reason: "safety" } }) };

test.each<[keyof StrictSwitches, object, StrictSwitches, [unknown, unknown], string?]>([
  ["decisionsInV1", REQUEST, { decisionsInV1: true }, [404, 200], "/v1/decisions"],
  ["decisionNullDescriptions", NULLS, { decisionNullDescriptions: false }, [200, 400]],
])("the switch %s changes the status", async (_, body, strict, statuses, path) => {
  expect([(await post(body, {}, path)).status, (await post(body, { strict }, path)).status]).toEqual(statuses);
});

test("switches change the answer to a blocked input, and the codes of errors", async () => {
  const feedback = await post(REQUEST, { decisions: BLOCKS });
  expect(feedback).toEqual({
    status: 200,
    body: { prompt_feedback: { block_reason: "safety" }, usage: expect.objectContaining({ total_tokens: 90 }) },
  });
  const refused = await post(REQUEST, { decisions: BLOCKS, strict: { blockedDecisions: "refuse" } });
  expect(refused).toMatchObject({ status: 400, body: { error: { code: 400, status: "INVALID_ARGUMENT" } } });
  const words = { decisions: BLOCKS, strict: { blockedDecisions: "refuse", decisionErrors: "words" } } as const;
  expect(await post(REQUEST, words)).toEqual({
    status: 400,
    body: { error: { message: "The input was blocked: safety.", code: "invalid_request" } },
  });
});

test.each<StrictSwitches>([
  {},
  { blockedDecisions: "refuse" },
  { blockedDecisions: "refuse", decisionErrors: "words" },
])("the client reads that an input is blocked, with %j", async (strict) => {
  const emulator = createEmulator({ decisions: BLOCKS, strict });
  const options = {
    endpoint: geminiApi({ apiKey: "emulator" }),
    fetch: (url: string, init: RequestInit) => emulator.fetch(url, init),
  };
  const decision = await decide("x", { q: yesNo("?") }, options);
  expect(decision.status).toBe("blocked");
});

test.each(["vertex", "comet", "old-proxy"] as const)("%s has no decisions", async (profile) => {
  expect((await post(REQUEST, { profile })).status).not.toBe(200);
});
