import { Agent, codeExecution, defineTool, type RunEvent } from "@pollux/core";
import { ResponseBlockedError } from "@pollux/core/errors";
import { call, collect, parts, refused, say, ScriptedModel, think, join } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsOf, faces } from "../helpers/faces.ts";

const PNG = { mimeType: "image/png", data: "iVBORw0KGgo=" };
const [PCM, OTHER_PCM, MP3] = ["audio/L16;codec=pcm;rate=24000", "audio/L16;rate=16000", "audio/mp3"];
const sound = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } });
const JPEG = { mimeType: "image/jpeg", data: "_9j-" };

const wait = defineTool({ name: "wait", description: "Waits.", input: z.object({}), run: () => "done" });

describe.each(faces)("%s", (_name, read) => {
  test("gives the images of the whole run, in order, with their bytes", async () => {
    const model = new ScriptedModel(
      join(parts({ inlineData: PNG }), call("wait")),
      parts({ text: "Here: " }, { inlineData: JPEG }, { inlineData: { mimeType: "audio/wav", data: "AAAA" } }),
    );
    const { images } = await read(new Agent({ model, tools: [wait] }), "Draw.");
    expect(images).toEqual([PNG, JPEG]);
    expect(images.map(({ bytes }) => [...bytes])).toEqual([
      [137, 80, 78, 71, 13, 10, 26, 10],
      [255, 216, 254],
    ]);
    expect(JSON.parse(JSON.stringify(images))).toEqual([PNG, JPEG]);
  });

  test("gives the answer of each turn, and not one that was asked for again or is of a run inside", async () => {
    const candidate = { avgLogprobs: -0.5, safetyRatings: [{ category: "c", probability: "LOW" }] };
    const helper = new Agent({ model: new ScriptedModel(say("Inner.")), name: "helper" });
    const inner = helper.asTool({ name: "ask", description: "Helps." });
    const bad = { finishReason: "OTHER", ...say("") };
    const script = [{ ...call("ask", { task: "Go." }), candidate }, bad, call("wait"), say("Done."), say('{"a":1}')];
    const model = ScriptedModel.with({ capabilities: { outputWithFunctions: false } }, ...script);
    const agent = new Agent({ model, tools: [inner, wait] });
    const { events, result } = await collect(agent.stream("Go.", { output: z.object({ a: z.number() }) }));
    const told = events.flatMap((event) => (event.type === "response" ? [event] : []));
    const last = told.filter(({ turn }, index) => told[index + 1]?.turn !== turn).map(({ response }) => response);
    expect(told.map(({ turn }) => turn)).toEqual([1, 2, 2, 3, 4]);
    expect(result.responses).toEqual(last);
    for (const [index, response] of last.entries()) expect(result.responses[index]).toBe(response);
    expect(result.responses[0]).toMatchObject({ candidate, envelope: { responseId: "scripted-1" } });
    expect(events.at(-1)).not.toHaveProperty("result.responses");
  });

  test("gives the answers of a run that a guardrail stopped without what it stopped", async () => {
    const guardrails = {
      output: [{ name: "no", check: ({ isFinal }: { isFinal: boolean }) => (isFinal ? { stop: "no" } : undefined) }],
    };
    const model = new ScriptedModel(call("wait"), say("Secret."));
    const { responses, turns } = await read(new Agent({ model, tools: [wait], guardrails }), "Go.");
    expect(turns).toBe(2);
    expect(responses.map(({ content }) => content.parts.length)).toEqual([1, 0]);
  });

  test("leaves out interim images, which are thoughts", async () => {
    const model = new ScriptedModel(parts({ inlineData: PNG, thought: true }, { inlineData: JPEG }));
    expect((await read(new Agent({ model }), "Draw.")).images).toEqual([JPEG]);
  });

  test("gives the sounds of the whole run, in order: the pieces of one speech as one sound, and history as they came", async () => {
    const said = [sound(PCM, "AAA="), sound(PCM, "AQA="), { text: "" }, sound(PCM, "AgA=")];
    const others = [
      { text: "And" },
      sound(PCM, "AwA="),
      sound(OTHER_PCM, "BAA="),
      sound(MP3, "BQ=="),
      sound(MP3, "Bg=="),
    ];
    const model = new ScriptedModel(
      join(parts(...said), call("wait")),
      parts({ ...sound(PCM, "BwA="), thought: true }, ...others),
    );
    const result = await read(new Agent({ model, tools: [wait] }), "Speak.");
    expect(result.audio.map(({ mimeType, pieces }) => [mimeType, ...pieces])).toEqual([
      [PCM, "AAA=", "AQA=", "AgA="],
      [PCM, "AwA="],
      [OTHER_PCM, "BAA="],
      [MP3, "BQ=="],
      [MP3, "Bg=="],
    ]);
    expect(result.contents[1]?.parts.slice(0, 4)).toEqual(said);
  });

  test("gives the sounds of agents inside, before its own", async () => {
    const speaker = new Agent({
      name: "speaker",
      model: new ScriptedModel(parts(sound(PCM, "CQA="), { text: "done" })),
    });
    const model = new ScriptedModel(call("speaker", { task: "Speak." }), parts(sound(PCM, "CgA=")));
    const { audio } = await read(new Agent({ model, tools: [speaker.asTool({ description: "Speaks." })] }), "Speak.");
    expect(audio.map(({ pieces }) => pieces)).toEqual([["CQA="], ["CgA="]]);
  });

  test("leaves out what came with an answer that was asked for again", async () => {
    const bad = { finishReason: "OTHER", ...join(think("hm"), parts({ inlineData: PNG })) };
    const model = new ScriptedModel(bad, parts({ inlineData: JPEG }));
    const { images, thoughts } = await read(new Agent({ model }), "Draw.");
    expect({ images, thoughts }).toEqual({ images: [JPEG], thoughts: [] });
  });

  test("pairs code with its result, by id or by place", async () => {
    const first = { language: "PYTHON", code: "print(1)", id: "a" };
    const second = { language: "PYTHON", code: "print(2)", id: "b" };
    const third = { language: "PYTHON", code: "print(3)" };
    const fourth = { language: "PYTHON", code: "print(4)" };
    const one = { outcome: "OUTCOME_OK", output: "1\n", id: "a" };
    const two = { outcome: "OUTCOME_FAILED", output: "no", id: "b" };
    const three = { outcome: "OUTCOME_OK", output: "3\n" };
    const model = new ScriptedModel(
      parts(
        { executableCode: first },
        { executableCode: second },
        { codeExecutionResult: one },
        { codeExecutionResult: two },
        { executableCode: third },
        { codeExecutionResult: three },
        { executableCode: fourth },
        { text: "Six." },
      ),
    );
    expect((await read(new Agent({ model, tools: [codeExecution()] }), "Add.")).code).toEqual([
      { executableCode: first, codeExecutionResult: one },
      { executableCode: second, codeExecutionResult: two },
      { executableCode: third, codeExecutionResult: three },
      { executableCode: fourth },
    ]);
  });

  test("gives the thought summaries, one text for each answer", async () => {
    const model = new ScriptedModel(
      join(think("I should "), think("wait."), call("wait")),
      join(think("Good."), say("ok")),
    );
    expect((await read(new Agent({ model, tools: [wait] }), "Wait.")).thoughts).toEqual(["I should wait.", "Good."]);
  });

  test("an agent inside adds its images and code, not its thoughts", async () => {
    const code = { code: "1" };
    const painter = new Agent({
      name: "painter",
      model: new ScriptedModel(
        join(think("blue"), parts({ executableCode: code }, { inlineData: PNG }, { text: "done" })),
      ),
    });
    const model = new ScriptedModel(call("painter", { task: "Draw." }), say("There."));
    const agent = new Agent({ model, tools: [painter.asTool({ description: "Draws." })] });
    const { images, code: ran, thoughts } = await read(agent, "Draw.");
    expect({ images, ran, thoughts }).toEqual({ images: [PNG], ran: [{ executableCode: code }], thoughts: [] });
  });

  test.each(["citationSources", "citations"])(
    "gives ratings, quotes (%s), pages and log probabilities",
    async (name) => {
      const quote = { startIndex: 1, endIndex: 4, uri: "https://a.example", license: "MIT" };
      const rating = { category: "HARM_CATEGORY_HARASSMENT", probability: "LOW" };
      const page = { retrievedUrl: "https://b.example", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_PAYWALL" };
      const logprobsResult = { chosenCandidates: [{ token: "ok", tokenId: 7, logProbability: -0.1 }] };
      const model = new ScriptedModel({
        ...say("ok"),
        candidate: {
          citationMetadata: { [name]: [quote] },
          safetyRatings: [rating],
          urlContextMetadata: { urlMetadata: [page] },
          avgLogprobs: -0.1,
          logprobsResult,
        },
      });
      const result = await read(new Agent({ model }), "Quote.");
      expect({ quotes: result.citationSources, ratings: result.safetyRatings, urls: result.urls }).toEqual({
        quotes: [quote],
        ratings: [rating],
        urls: [page],
      });
      expect(result.response?.candidate).toMatchObject({ avgLogprobs: -0.1, logprobsResult });
    },
  );

  test("a run with nothing but text has empty lists", async () => {
    const { images, audio, code, thoughts, urls, safetyRatings, citationSources } = await read(
      new Agent({ model: new ScriptedModel(say("ok")) }),
      "Hi.",
    );
    expect({ images, audio, code, thoughts, urls, safetyRatings, citationSources }).toEqual({
      images: [],
      audio: [],
      code: [],
      thoughts: [],
      urls: [],
      safetyRatings: [],
      citationSources: [],
    });
  });

  test("an answer that was withheld says why, with its ratings", async () => {
    const rating = { category: "HARM_CATEGORY_DANGEROUS_CONTENT", probability: "HIGH", blocked: true };
    const model = new ScriptedModel({ batches: [], finishReason: "SAFETY", candidate: { safetyRatings: [rating] } });
    expect(await read(new Agent({ model }), "Hi.")).toMatchObject({
      stopReason: "blocked",
      finishReason: "SAFETY",
      safetyRatings: [rating],
    });
  });

  test("a prompt that was refused is an error with the reason", async () => {
    const model = new ScriptedModel(refused("PROHIBITED_CONTENT"));
    const failed = read(new Agent({ model }), "Hi.");
    await expect(failed).rejects.toBeInstanceOf(ResponseBlockedError);
    await expect(failed).rejects.toMatchObject({ blockReason: "PROHIBITED_CONTENT" });
  });
});

test("images, pieces of sound and code are events too, as the parts they came in", async () => {
  const executableCode = { language: "PYTHON", code: "1" };
  const codeExecutionResult = { outcome: "OUTCOME_OK" };
  const given = [
    { inlineData: PNG },
    sound(PCM, "AAA="),
    sound(PCM, "AQA="),
    { executableCode },
    { codeExecutionResult },
  ];
  const model = new ScriptedModel(parts(...given));
  const { events } = await eventsOf(new Agent({ model }), "Draw.");
  const seen = events.flatMap((event: RunEvent) => (event.type === "part" ? [event.part] : []));
  expect(seen).toEqual(given);
  expect(JSON.stringify(events.at(-1))).not.toContain("AAA=");
});
