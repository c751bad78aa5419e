import { Agent, defineTool, endpoint, gemini, Traffic } from "@pollux/core";
import type { ObservedEvent } from "@pollux/core/observers";
import { assertObservations, call, dies, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { chunks, countedService } from "../../helpers/counted-service.ts";
import { faces } from "../../helpers/faces.ts";
import { fakeTime } from "../../helpers/fake-time.ts";
import { record } from "../../helpers/observations.ts";

type Of<Type extends ObservedEvent["type"]> = Extract<ObservedEvent, { readonly type: Type }>;

/** Observations of one type. */
function pick<Type extends ObservedEvent["type"]>(observations: readonly ObservedEvent[], type: Type): Of<Type>[] {
  // As the filter says.
  return observations.filter((one) => one.type === type) as Of<Type>[];
}

const answer = chunks([{ text: "It " }, { text: "is " }, { text: "" }, { text: "wide." }]);

fakeTime("leaps");

describe.each(faces)("observers of requests, by %s", (_face, read) => {
  test("know which service a run asks, of what kind, and whether it streams", async () => {
    const observer = record();
    const { model } = countedService([answer]);
    await read(new Agent({ model, observers: [observer] }), "Go.");
    const service = { endpoint: "http://service.local", endpointKind: "gateway" };
    expect(observer.observations[0]?.run).toMatchObject({ model: "gemini-2.5-flash", ...service });
    expect(pick(observer.observations, "request")).toMatchObject([
      { model: "gemini-2.5-flash", ...service, streams: true },
    ]);
  });

  test("know the model and the settings that prepareTurn chose", async () => {
    const observer = record();
    const { model, fetch } = countedService([answer]);
    const other = gemini("gemini-2.5-pro", {
      endpoint: endpoint({ baseUrl: "http://vertex.local", apiKey: "key", kind: "vertex" }),
      fetch: async (url, init) => {
        const streamed = await fetch(url, init);
        const [last] = (await streamed.text()).trim().split("\r\n\r\n").slice(-1);
        return Response.json(JSON.parse(last?.replace("data: ", "") ?? ""));
      },
      transport: "unary",
    });
    const agent = new Agent({
      model,
      settings: { temperature: 0.2, seed: 7 },
      hooks: { prepareTurn: () => ({ model: other, settings: { temperature: 0.5 } }) },
      observers: [observer],
    });
    await read(agent, "Go.");
    expect(pick(observer.observations, "request")).toMatchObject([
      {
        model: "gemini-2.5-pro",
        endpoint: "http://vertex.local",
        endpointKind: "vertex",
        streams: false,
        request: { settings: { temperature: 0.5, seed: 7 } },
      },
    ]);
  });

  test("know when each chunk with content came, the first of them at once", async () => {
    const observer = record();
    const { model } = countedService([answer]);
    await read(new Agent({ model, observers: [observer] }), "Go.");
    const { observations } = observer;
    const [first, end] = [pick(observations, "first-part")[0], pick(observations, "step-end")[0]];
    expect(end?.chunksAt).toHaveLength(3);
    expect(end?.chunksAt?.[0]).toBe(first?.at);
    expect(end?.chunksAt).toEqual(end?.chunksAt?.toSorted((a, b) => a - b));
  });

  test("know that of an answer that a guardrail holds back, of a failed one, and of the last request only", async () => {
    const observer = record();
    const pass = { name: "pass", check: () => undefined };
    const script = [dies("It ", "is "), say("Done.")];
    const agent = new Agent({
      model: new ScriptedModel(...script, hangs("It ", "hangs.")),
      guardrails: { output: [pass] },
      limits: { wallTimeMs: 5_000 },
      observers: [observer],
    });
    await read(agent, "Go.");
    await read(agent, "Go.");
    const { observations } = observer;
    assertObservations(observations);
    expect(pick(observations, "first-part")).toHaveLength(3);
    const ends = pick(observations, "step-end").filter(({ step }) => step.kind === "model");
    expect(ends.map(({ ok, chunksAt }) => [ok, chunksAt?.length])).toEqual([
      [true, 1],
      [false, 2],
    ]);
  });

  test("know how long requests were queued", async () => {
    const observer = record();
    const traffic = new Traffic({ maxConcurrent: 1 });
    const { model } = countedService([answer], undefined, { traffic });
    const agent = new Agent({ model, observers: [observer] });
    const slow = countedService(
      [answer],
      () => new Response(new ReadableStream({ start: (body) => void setTimeout(() => body.close(), 2_000) })),
      { traffic, retry: { maxAttempts: 1 } },
    );
    const busy = slow.model.respond(
      { contents: [{ role: "user", parts: [{ text: "Hi." }] }], functions: [], builtIns: [], settings: {} },
      { signal: new AbortController().signal },
    );
    await Promise.allSettled([busy, read(agent, "Go.")]);
    await read(agent, "Go.");
    const ends = pick(observer.observations, "step-end");
    expect(ends[0]?.queuedMs).toBeGreaterThanOrEqual(2_000);
    expect(ends[0]?.queuedMs).toBeLessThan(2_100);
    expect(ends[1]).not.toHaveProperty("queuedMs");
  });

  test("know what a tool says it does, and nothing of one that does not exist", async () => {
    const observer = record();
    const look = defineTool({ name: "look", description: "Looks out.", run: () => "seen" });
    const model = new ScriptedModel(call("look"), call("nothing"), say("Done."));
    await read(new Agent({ model, tools: [look], observers: [observer] }), "Go.");
    const calls = pick(observer.observations, "step-start").filter(({ step }) => step.kind === "call");
    expect(calls.map(({ step }) => step.toolDescription)).toEqual(["Looks out.", undefined]);
  });
});
