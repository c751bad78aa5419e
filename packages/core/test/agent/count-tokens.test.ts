import { Agent, type AgentOptions, defineTool, endpoint, type FetchLike, gemini, vertex } from "@pollux/core";
import { listModels, type ListedModel } from "@pollux/core/resources";
import { ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const ID = "gemini-3.8-flash";
const add = defineTool({ name: "add", description: "Adds.", input: z.object({}), run: () => 1 });
const TOOLS = [{ functionDeclarations: [add.declaration] }];
const CONTENTS = [{ role: "user", parts: [{ text: "Hi." }] }];
const OPTIONS: Omit<AgentOptions, "model"> = { instructions: "Be brief.", tools: [add], settings: { temperature: 0 } };

type Fetched = { path: string; body: unknown };

function stub(...answers: readonly object[]): { fetched: Fetched[]; fetch: FetchLike } {
  const fetched: Fetched[] = [];
  return {
    fetched,
    fetch: async (input, init) => {
      const url = new URL(input);
      const text = init.body ? await new Response(init.body).text() : "null";
      fetched.push({ path: url.pathname + url.search, body: JSON.parse(text) });
      return Response.json(answers[fetched.length - 1]);
    },
  };
}

const google = endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "developer" });

test("the Developer API counts the whole request", async () => {
  const details = [{ modality: "TEXT", tokenCount: 30 }];
  const { fetched, fetch } = stub({ totalTokens: 30, cachedContentTokenCount: 10, promptTokensDetails: details });
  const agent = new Agent({ ...OPTIONS, model: gemini(ID, { endpoint: google, fetch }) });
  expect(await agent.countTokens("Hi.")).toEqual({ totalTokens: 30, cachedTokens: 10, details });
  expect(fetched).toEqual([
    {
      path: `/v1beta/models/${ID}:countTokens`,
      body: {
        generateContentRequest: {
          model: `models/${ID}`,
          systemInstruction: { parts: [{ text: "Be brief." }] },
          tools: TOOLS,
          contents: CONTENTS,
          generationConfig: { temperature: 0 },
        },
      },
    },
  ]);
});

test("Vertex takes the fields at the top level", async () => {
  const { fetched, fetch } = stub({ totalTokens: 30 });
  const to = vertex({ project: "p", location: "europe-west4", accessToken: () => "t", env: {} });
  const agent = new Agent({ ...OPTIONS, model: gemini(ID, { endpoint: to, fetch }) });
  expect(await agent.countTokens("Hi.")).toEqual({ totalTokens: 30, cachedTokens: 0, details: [] });
  expect(fetched).toEqual([
    {
      path: `/v1beta1/projects/p/locations/europe-west4/publishers/google/models/${ID}:countTokens`,
      body: {
        systemInstruction: { parts: [{ text: "Be brief." }] },
        tools: TOOLS,
        contents: CONTENTS,
        generationConfig: { temperature: 0 },
      },
    },
  ]);
});

test("options of the run count in place of the agent's, and so does a schema", async () => {
  const { fetched, fetch } = stub({});
  const agent = new Agent({ ...OPTIONS, model: gemini(ID, { endpoint: google, fetch }) });
  const count = await agent.countTokens("Hi.", {
    instructions: "",
    tools: [],
    toolChoice: "auto",
    output: { type: "object", properties: {} },
    settings: { seed: 0 },
  });
  expect(count).toEqual({ totalTokens: 0, cachedTokens: 0, details: [] });
  expect(fetched[0]?.body).toEqual({
    generateContentRequest: {
      model: `models/${ID}`,
      contents: CONTENTS,
      generationConfig: {
        temperature: 0,
        seed: 0,
        responseMimeType: "application/json",
        responseJsonSchema: { type: "object", properties: {} },
      },
    },
  });
});

test("a request that could not be made is not counted", async () => {
  const { fetched, fetch } = stub();
  const agent = new Agent({ ...OPTIONS, model: gemini(ID, { endpoint: google, fetch }) });
  await expect(agent.countTokens("")).rejects.toThrow(/prompt is empty/);
  await expect(agent.countTokens("Hi.", { settings: { topP: 2 } })).rejects.toThrow(/topP is 2/);
  await expect(agent.countTokens("Hi.", { settings: { cachedContent: "c" } })).rejects.toThrow(
    /must not have instructions or tools/,
  );
  await expect(new Agent({ model: new ScriptedModel() }).countTokens("Hi.")).rejects.toThrow(/cannot count tokens/);
  expect(fetched).toEqual([]);
});

test("an abort ends the count with its reason", async () => {
  const { fetch } = stub({});
  const agent = new Agent({ model: gemini(ID, { endpoint: google, fetch }) });
  const reason = new Error("enough");
  await expect(agent.countTokens("Hi.", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("models are listed over all pages, with what they can do", async () => {
  const flash = {
    name: "models/gemini-3.8-flash",
    inputTokenLimit: 1_000_000,
    supportedGenerationMethods: ["countTokens"],
  };
  const tuned = { name: "tunedModels/mine" };
  const { fetched, fetch } = stub({ models: [flash], nextPageToken: "n" }, { models: [tuned] });
  const listed: ListedModel[] = [];
  for await (const model of listModels({ endpoint: google, fetch })) listed.push(model);
  expect(listed).toEqual([
    {
      ...flash,
      id: "gemini-3.8-flash",
      capabilities: expect.objectContaining({ family: "gemini-3", functions: true }),
    },
    { ...tuned, id: "tunedModels/mine", capabilities: expect.objectContaining({ family: "gemini-4" }) },
  ]);
  expect(fetched.map(({ path }) => path)).toEqual([
    "/v1beta/models?pageSize=1000",
    "/v1beta/models?pageSize=1000&pageToken=n",
  ]);
});

test("Vertex's list of models has another name, and leaving it asks for no more", async () => {
  const { fetched, fetch } = stub({
    publisherModels: [{ name: "publishers/google/models/gemini-2.5-pro" }],
    nextPageToken: "n",
  });
  const to = vertex({ apiKey: "k", env: {} });
  for await (const { id, capabilities } of listModels({ endpoint: to, fetch })) {
    expect({ id, thinking: capabilities.thinking }).toEqual({ id: "gemini-2.5-pro", thinking: "budget" });
    break;
  }
  expect(fetched).toHaveLength(1);
});
