import type { FunctionCall, GenerateContentResponse, Part } from "@pollux/core/wire";
import { describe, expect, test } from "vitest";
import {
  type BrokenArgs,
  call,
  calls,
  createEmulator,
  type EmulatorOptions,
  fault,
  faults,
  script,
  grounded,
  say,
} from "../src/index.ts";
import { ask, eventsIn, MODEL, partsOf, textOf, WEATHER } from "./support.ts";

type Ask = (options: EmulatorOptions, ...bodies: readonly object[]) => Promise<GenerateContentResponse[]>;

/** Sends requests over a socket; returns the chunks of the last answer, which must have status 200. */
function over(method: string): Ask {
  return async (options, ...bodies) => {
    await using server = await createEmulator(options).listen();
    let answer = "";
    for (const body of bodies) {
      const url = `${server.url}/v1beta/models/${MODEL}:${method}`;
      const headers = { "x-goog-api-key": "emulator" };
      const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
      answer = await response.text();
      if (response.status !== 200) throw new Error(answer);
    }
    return answer.startsWith("{") ? [JSON.parse(answer) as GenerateContentResponse] : eventsIn(answer);
  };
}

const callsIn = (chunks: readonly GenerateContentResponse[]): FunctionCall[] =>
  partsOf(...chunks).flatMap((part: Part) => part.functionCall ?? []);
const endOf = (chunks: readonly GenerateContentResponse[]) => chunks.at(-1)?.candidates?.[0]?.finishReason;

const BOOK = {
  functionDeclarations: [
    {
      name: "book",
      parametersJsonSchema: {
        type: "object",
        properties: {
          note: { type: "string" },
          seats: { type: "integer" },
          where: { type: "object", properties: { row: { type: "number" } } },
        },
        required: ["seats"],
      },
    },
  ],
};
const ARGS = { note: "window", seats: 2, where: { row: 7 } };

describe.each([
  ["unary", over("generateContent")],
  ["streamed", over("streamGenerateContent?alt=sse")],
] as const)("a model that misbehaves, %s", (_, send) => {
  test("M-1: offsets drift behind one segment, whose text is right", async () => {
    const said = "The café is open. The 漢字 are old. It rains 🌧️.";
    const found = grounded(said, { queries: ["q"], sources: [{ title: "a.no" }] });
    const supports = async (options: EmulatorOptions) => {
      const chunks = await send(options, ask("Ground it", { tools: [{ googleSearch: {} }] }));
      expect(textOf(...chunks)).toBe(said);
      return chunks.at(-1)?.candidates?.[0]?.groundingMetadata?.groundingSupports?.map(({ segment }) => segment);
    };
    const right = await supports({ brain: script([found]) });
    const wrong = await supports({ brain: script([fault(faults.driftingOffsets({ bytes: 2, from: 1 }), found)]) });
    expect(right).toEqual([
      { endIndex: 18, text: "The café is open." },
      { startIndex: 19, endIndex: 38, text: "The 漢字 are old." },
      { startIndex: 39, endIndex: 56, text: "It rains 🌧️." },
    ]);
    expect(wrong).toEqual([
      { endIndex: 18, text: "The café is open." },
      { startIndex: 19, endIndex: 40, text: "The 漢字 are old." },
      { startIndex: 41, endIndex: 58, text: "It rains 🌧️." },
    ]);
  });

  test.each<[BrokenArgs, unknown]>([
    ["missing-required", { note: "window", where: { row: 7 } }],
    ["wrong-type", { ...ARGS, seats: { wrong: "type" } }],
    ["extra-key", { ...ARGS, unexpected: "extra" }],
    ["number-as-string", { note: "window", seats: "2", where: { row: "7" } }],
    ["absent", undefined],
    ["empty", {}],
    ["huge-string", { ...ARGS, note: "x".repeat(200_000) }],
  ])("M-2: arguments break the schema: %s", async (how, args) => {
    const options = { brain: script([call("book", ARGS)]), faults: [{ at: 1, fault: faults.brokenArgs(how) }] };
    const chunks = await send(options, ask("Book", { tools: [BOOK] }));
    expect(callsIn(chunks)).toEqual([
      { name: "book", id: expect.stringMatching(/^[a-z0-9]{8}$/), ...(args !== undefined && { args }) },
    ]);
    expect(endOf(chunks)).toBe("STOP");
  });

  test("M-3: parallel calls share an id, a single one repeats an earlier one", async () => {
    const fine = calls(
      { name: "get_weather", args: { city: "Oslo" } },
      { name: "get_weather", args: { city: "Lima" } },
    );
    const body = ask("Weather", { tools: [WEATHER] });
    const both = callsIn(await send({ brain: script([fault(faults.duplicateIds(), fine)]) }, body));
    expect(both.map(({ args }) => args)).toEqual([{ city: "Oslo" }, { city: "Lima" }]);
    expect(both[0]?.id).toMatch(/^[a-z0-9]{8}$/);
    expect(both[1]?.id).toBe(both[0]?.id);

    const earlier = {
      ...body,
      contents: [
        ...body.contents,
        {
          role: "model",
          parts: [
            {
              functionCall: { id: "earlier1", name: "get_weather", args: {} },
              thoughtSignature: "skip_thought_signature_validator",
            },
          ],
        },
        {
          role: "user",
          parts: [{ functionResponse: { id: "earlier1", name: "get_weather", response: { output: 1 } } }],
        },
      ],
    };
    const again = await send({ brain: script([fault(faults.duplicateIds(), call("get_weather"))]) }, earlier);
    expect(callsIn(again)).toEqual([{ id: "earlier1", name: "get_weather", args: {} }]);
  });

  test("M-4: calls come without ids, once or always", async () => {
    const body = ask("Weather", { tools: [WEATHER] });
    const bare = [{ name: "get_weather", args: { city: "Oslo" } }];
    const line = call("get_weather", { city: "Oslo" });
    expect(callsIn(await send({ brain: script([fault(faults.missingIds(), line)]) }, body))).toEqual(bare);
    expect(callsIn(await send({ brain: script([line]), callIds: false }, body))).toEqual(bare);
  });

  test("M-5: a function that was not declared is called, and the turn stops as usual", async () => {
    const renamed = await send(
      { brain: script([call("get_weather", { city: "Oslo" })]), faults: [{ at: 1, fault: faults.undeclaredCall() }] },
      ask("Weather", { tools: [WEATHER] }),
    );
    expect([callsIn(renamed), endOf(renamed)]).toMatchObject([
      [{ name: "list_files", args: { city: "Oslo" } }],
      "STOP",
    ]);
    const added = await send({ brain: script([fault(faults.undeclaredCall("rm"), say("Done."))]) }, ask("Hi"));
    expect([textOf(...added), callsIn(added)]).toMatchObject(["Done.", [{ name: "rm", args: {} }]]);
  });

  test("M-6: a declared function is called under NONE, with fitting arguments", async () => {
    const body = ask("Weather in Oslo?", {
      tools: [WEATHER],
      toolConfig: { functionCallingConfig: { mode: "NONE" } },
    });
    const options = {
      brain: script([say("The next line")]),
      faults: [{ at: 1, fault: faults.callDespiteNone(undefined, { city: "Oslo" }) }],
    };
    expect(callsIn(await send(options, body))).toMatchObject([{ name: "get_weather", args: { city: "Oslo" } }]);
    expect(textOf(...(await send(options, body, body)))).toBe("The next line");
  });
});
