import { expect, test } from "vitest";
import { createEmulator, type Emulator, say, script } from "../src/index.ts";
import { eventsIn, textOf } from "./support.ts";

const MODEL = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash";

function send(emulator: Emulator, path: string, body: unknown): Promise<Response> {
  return emulator.fetch(path, { method: "POST", headers: { authorization: "Bearer t" }, body: JSON.stringify(body) });
}

const vertex = (): Emulator => createEmulator({ profile: "vertex", brain: script([say("Two and two ", "are 4. 🙂")]) });
const asked = (generationConfig: object) => ({
  contents: [{ role: "user", parts: [{ text: "2+2?" }] }],
  generationConfig,
});

interface Step {
  readonly token: string;
  readonly tokenId: number;
  readonly logProbability: number;
}

const textIn = (steps: readonly Step[] = []) => steps.map(({ token }) => token).join("");

test("logprobs are one for each token of the text, with as many likely tokens as asked for", async () => {
  const response = await send(vertex(), `${MODEL}:generateContent`, asked({ responseLogprobs: true, logprobs: 3 }));
  const { candidates, usageMetadata } = await response.json();
  const { chosenCandidates, topCandidates } = candidates[0].logprobsResult;
  expect(textIn(chosenCandidates)).toBe("Two and two are 4. 🙂");
  expect(chosenCandidates).toHaveLength(usageMetadata.candidatesTokenCount);
  expect(candidates[0].avgLogprobs).toBeLessThan(0);
  expect(topCandidates).toHaveLength(chosenCandidates.length);
  for (const [index, { candidates: likely }] of topCandidates.entries()) {
    expect(likely).toHaveLength(3);
    expect(likely[0]).toEqual(chosenCandidates[index]);
    const sorted = likely.toSorted((left: Step, right: Step) => right.logProbability - left.logProbability);
    expect(likely).toEqual(sorted);
    expect(likely.every(({ logProbability }: Step) => logProbability <= 0)).toBe(true);
    expect(new Set(likely.map(({ token }: Step) => token)).size).toBe(3);
  }
});

test("the same answer has the same logprobs; without a number, only the chosen ones", async () => {
  const body = asked({ responseLogprobs: true });
  const results = await Promise.all(
    [vertex(), vertex()].map(async (emulator) => {
      const response = await send(emulator, `${MODEL}:generateContent`, body);
      return (await response.json()).candidates[0].logprobsResult;
    }),
  );
  expect(Object.keys(results[0])).toEqual(["chosenCandidates"]);
  expect(results[1]).toEqual(results[0]);
});

test("each chunk of a stream has the logprobs of its own text", async () => {
  const body = asked({ responseLogprobs: true, logprobs: 1 });
  const response = await send(vertex(), `${MODEL}:streamGenerateContent?alt=sse`, body);
  const chunks = eventsIn(await response.text());
  expect(chunks.length).toBeGreaterThan(1);
  for (const chunk of chunks) {
    const steps = chunk.candidates?.[0]?.logprobsResult?.chosenCandidates as Step[] | undefined;
    expect(textIn(steps)).toBe(textOf(chunk));
  }
});

test.each<[string, object]>([
  ["are not asked for", {}],
  ["are declined", { responseLogprobs: false }],
])("there are no logprobs where they %s", async (_what, config) => {
  const response = await send(vertex(), `${MODEL}:generateContent`, asked(config));
  expect((await response.json()).candidates[0]).not.toHaveProperty("logprobsResult");
});

test("computeTokens shows as many tokens as countTokens counts", async () => {
  const contents = [
    { role: "user", parts: [{ text: "What is your name? 🙂🙂🙂" }, { text: "And why?" }] },
    { role: "model", parts: [{ functionCall: { name: "look_up", args: { city: "Oslo" } } }] },
    { role: "user", parts: [{ functionResponse: { name: "look_up", response: { sky: "grey" } } }] },
  ];
  const emulator = vertex();
  const { tokensInfo } = await (await send(emulator, `${MODEL}:computeTokens`, { contents })).json();
  const { totalTokens } = await (await send(emulator, `${MODEL}:countTokens`, { contents })).json();
  expect(tokensInfo.map(({ role }: { role: string }) => role)).toEqual(["user", "model", "user"]);
  expect(tokensInfo.flatMap(({ tokenIds }: { tokenIds: string[] }) => tokenIds)).toHaveLength(totalTokens);
  const { tokens, tokenIds } = tokensInfo[0];
  expect(tokens.map((token: string) => Buffer.from(token, "base64").toString()).join("")).toBe(
    "What is your name? 🙂🙂🙂And why?",
  );
  expect(tokenIds).toHaveLength(tokens.length);
  for (const id of tokenIds) expect(id).toMatch(/^[1-9]\d*$/);
  expect(emulator.requests[0]?.answered).toMatchObject({ status: 200, operation: "computeTokens" });
});

test.each<[string, unknown, number, string]>([
  ["nothing", {}, 400, "* ComputeTokensRequest.contents: contents is not specified"],
  [
    "tools",
    { ...asked({}) },
    400,
    'Invalid JSON payload received. Unknown name "generationConfig": Cannot find field.',
  ],
])("computeTokens refuses %s", async (_what, body, status, message) => {
  const response = await send(vertex(), `${MODEL}:computeTokens`, body);
  expect([response.status, (await response.json()).error.message]).toEqual([status, message]);
});

test.each([
  ["developer", 404, "is not supported for computeTokens"],
  ["comet", 503, "No available channel"],
] as const)("computeTokens is Vertex's alone: %s", async (profile, status, message) => {
  const emulator = createEmulator({ profile });
  const response = await send(emulator, "/v1beta/models/gemini-2.5-flash:computeTokens?key=k", asked({}));
  expect(response.status).toBe(status);
  expect((await response.json()).error.message).toContain(message);
});
