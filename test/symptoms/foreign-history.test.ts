import { Agent, ConfigurationError, type Content, importHistory } from "@pollux/core";
import { inferCapabilities, prepareHistory } from "@pollux/core/model";
import { script, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { ANSWER, TOOLS, trip, user } from "../support/trip.ts";
import { MODEL, openWorld, refusals } from "../support/world.ts";

const DUMMY = "skip_thought_signature_validator";

/** Another vendor's history, converted to contents: with separate results, without names, and with its own ids. */
const FOREIGN: readonly Content[] = [
  user("Weather in Oslo and Lima?"),
  { role: "model", parts: [{ text: "Let me look." }] },
  {
    role: "model",
    parts: [
      { functionCall: { id: "toolu_1", name: "get_weather", args: { city: "Oslo" } } },
      { functionCall: { id: "toolu_2", name: "get_weather", args: { city: "Lima" } } },
    ],
  },
  { role: "user", parts: [{ functionResponse: { id: "toolu_2", name: "", response: { output: 5 } } }] },
  {
    role: "user",
    parts: [{ functionResponse: { id: "toolu_1", name: "", response: { output: 4 } } }, { text: "Hurry!" }],
  },
  { role: "model", parts: [{ text: "4 and 5 degrees." }] },
];

test("a history of another vendor gets Gemini's form", () => {
  const given = structuredClone(FOREIGN);
  expect(importHistory(FOREIGN)).toEqual([
    FOREIGN[0],
    {
      role: "model",
      parts: [
        { text: "Let me look." },
        {
          functionCall: { id: "toolu_1", name: "get_weather", args: { city: "Oslo" } },
          thoughtSignature: DUMMY,
        },
        { functionCall: { id: "toolu_2", name: "get_weather", args: { city: "Lima" } } },
      ],
    },
    {
      role: "user",
      parts: [
        { functionResponse: { id: "toolu_1", name: "get_weather", response: { output: 4 } } },
        { functionResponse: { id: "toolu_2", name: "get_weather", response: { output: 5 } } },
      ],
    },
    user("Hurry!"),
    FOREIGN[5],
  ]);
  expect(FOREIGN).toEqual(given);
});

describe.each(faces)("%s", (_face, read) => {
  test.each([MODEL, "gemini-4-argon", "gemini-2.5-flash"])("%s continues it, with no request refused", async (id) => {
    await using world = await openWorld({ brain: trip() });
    const agent = new Agent({ model: world.model(id), tools: TOOLS });
    const history = importHistory(FOREIGN, { model: id });
    const result = await read(agent, [...history, user("And now?")]);
    expect(result).toMatchObject({ stopReason: "finished", text: ANSWER });
    expect(result.contents.slice(0, history.length)).toEqual(history);
    expect([world.bodies.length, refusals(world.emulator)]).toEqual([3, []]);
  });

  test("it may end on answered calls, which is where signatures are looked at", async () => {
    await using world = await openWorld({ brain: script([say("4 and 5.")]) });
    const history = importHistory(
      FOREIGN.slice(0, 4).concat(FOREIGN[4]!.parts.slice(0, 1).map((part) => ({ role: "user", parts: [part] }))),
    );
    const result = await read(new Agent({ model: world.model(), tools: TOOLS }), history);
    expect(result).toMatchObject({ stopReason: "finished", text: "4 and 5." });
    expect([world.bodies.length, refusals(world.emulator)]).toEqual([1, []]);
  });

  test("one family continues another's history, once it is prepared", async () => {
    await using world = await openWorld({ brain: trip() });
    const ask = (id: string) => new Agent({ model: world.model(id), tools: TOOLS });
    const first = await read(ask(MODEL), "Weather?");
    const open = first.contents.slice(0, 3);
    const origin = (id: string) => ({ endpoint: world.url, family: inferCapabilities(id).family });

    const as = (from: string, to: string) => prepareHistory(open, { from: origin(from), to: origin(to) });
    expect(as(MODEL, "gemini-3.6-flash")).toBe(open);
    await read(ask("gemini-3.6-flash"), as(MODEL, "gemini-3.6-flash"));
    await read(ask("gemini-4-argon"), as(MODEL, "gemini-4-argon"));
    await read(ask("gemini-2.5-flash"), as(MODEL, "gemini-2.5-flash"));
    expect(refusals(world.emulator)).toEqual([]);
    expect(JSON.stringify(as(MODEL, "gemini-2.5-flash"))).not.toContain("thoughtSignature");

    const before = world.bodies.length;
    const unprepared = await read(ask("gemini-4-argon"), open);
    expect(unprepared).toMatchObject({ stopReason: "finished" });
    expect(refusals(world.emulator).map(({ number }) => number)).toEqual([before + 1, before + 2]);
  });
});

test("what changes with the origin, and what does not", () => {
  const call = { functionCall: { id: "1", name: "f" } };
  const contents: readonly Content[] = [
    user("a"),
    {
      role: "model",
      parts: [
        { text: "hm", thought: true, thoughtSignature: "t" },
        { toolCall: { toolType: "GOOGLE_SEARCH_WEB" }, thoughtSignature: "s" },
        { toolResponse: { toolType: "GOOGLE_SEARCH_WEB" }, thoughtSignature: "s" },
        { text: "look", thoughtSignature: "u" },
        { ...call, thoughtSignature: "c" },
        { functionCall: { id: "2", name: "f" } },
      ],
    },
    { role: "user", parts: [{ functionResponse: { id: "1", name: "f", response: {} } }] },
    { role: "model", parts: [{ text: "done" }, { text: "", thoughtSignature: "e" }] },
    user("b"),
    { role: "model", parts: [{ thought: true, text: "only thoughts" }] },
  ];
  const here = { endpoint: "https://generativelanguage.googleapis.com", family: "gemini-3" };
  const swapped = [
    contents[0],
    {
      role: "model",
      parts: [{ text: "look" }, { ...call, thoughtSignature: DUMMY }, { functionCall: { id: "2", name: "f" } }],
    },
    contents[2],
    { role: "model", parts: [{ text: "done" }] },
    contents[4],
  ];
  expect(prepareHistory(contents, { from: here, to: here })).toBe(contents);
  for (const from of [undefined, { ...here, endpoint: "https://api.cometapi.com" }, { ...here, family: "gemini-4" }]) {
    const prepared = prepareHistory(contents, { from, to: here });
    expect(prepared).toEqual(swapped);
    expect([prepared[0], prepared[2]]).toEqual([contents[0], contents[2]]);
  }
  expect(prepareHistory(contents, { from: here, to: { ...here, family: "gemma" } })[1]?.parts).toEqual([
    { text: "look" },
    call,
    { functionCall: { id: "2", name: "f" } },
  ]);
  const unsigned: readonly Content[] = [user("a"), { role: "model", parts: [call] }, contents[2]!];
  expect(prepareHistory(unsigned, { from: here, to: here })[1]?.parts).toEqual([{ ...call, thoughtSignature: DUMMY }]);
});

describe("ids", () => {
  const call = (id?: string) => ({ functionCall: { name: "f", ...(id !== undefined && { id }) } });
  const response = (id?: string) => ({
    functionResponse: { name: "f", ...(id !== undefined && { id }), response: {} },
  });
  const turn = (callId?: string, responseId?: string): readonly Content[] => [
    { role: "model", parts: [call(callId)] },
    { role: "user", parts: [response(responseId)] },
  ];
  const idsOf = (contents: readonly Content[]) =>
    contents.flatMap(({ parts }) => parts.map((part) => part.functionCall?.id ?? part.functionResponse?.id));

  test.each<[string, readonly Content[], readonly string[]]>([
    ["missing", [...turn(), ...turn()], ["call-1", "call-1", "call-2", "call-2"]],
    ["empty", turn("", ""), ["call-1", "call-1"]],
    ["of the call only", turn("a"), ["a", "a"]],
    ["of the response only", turn(undefined, "a"), ["call-1", "call-1"]],
    ["used twice", [...turn("a", "a"), ...turn("a", "a")], ["a", "a", "call-2", "call-2"]],
    [
      "made up by someone the same way",
      [...turn("call-2", "call-2"), ...turn()],
      ["call-2", "call-2", "call-2x", "call-2x"],
    ],
  ])("%s", (_what, contents, expected) => {
    expect(idsOf(importHistory([user("a"), ...contents])).slice(1)).toEqual(expected);
  });

  test("are left out where the endpoint does not know them", () => {
    const stripped = importHistory([user("a"), ...turn("a", "a")], { ids: "strip" });
    expect(JSON.stringify(stripped)).not.toContain('"id"');
  });
});

const CALL: Content = { role: "model", parts: [{ functionCall: { id: "1", name: "f" } }] };
const RESPONSE: Content = { role: "user", parts: [{ functionResponse: { id: "9", name: "g", response: {} } }] };

test("orphans are refused, or repaired when asked", () => {
  expect(() => importHistory([user("a"), CALL, user("b")])).toThrow(
    'the call of f in contents[1] has no response in the next content. Include both, remove both, or pass orphans: "repair".',
  );
  expect(() => importHistory([user("a"), RESPONSE])).toThrow("the response of g in contents[1] answers no call");
  expect(importHistory([user("a"), CALL, RESPONSE, user("b")], { orphans: "repair" })).toEqual([
    user("a"),
    { role: "model", parts: [{ functionCall: { id: "1", name: "f" }, thoughtSignature: DUMMY }] },
    {
      role: "user",
      parts: [
        { functionResponse: { id: "1", name: "f", response: { error: "the result of this call was not recorded" } } },
      ],
    },
    user("b"),
  ]);
});

test.each<[string, unknown, string]>([
  ["no list", "hello", "it is not a list"],
  [
    "a role of another vendor",
    [{ role: "assistant", parts: [{ text: "a" }] }],
    'contents[0].role is "assistant"; use "model"',
  ],
  ["instructions", [{ role: "system", parts: [{ text: "a" }] }], "pass it to the agent as instructions"],
  ["no role", [{ parts: [{ text: "a" }] }], 'it must be "user" or "model"'],
  ["no parts", [{ role: "user", parts: [] }], "contents[0].parts is not a list with at least one part"],
  ["a part without data", [{ role: "user", parts: [{}] }], "contents[0].parts[0] has no data"],
  ["a call of the user", [{ role: "user", parts: CALL.parts }], "only the model calls"],
  [
    "a call at the start",
    [{ role: "model", parts: [{ text: "a" }] }, CALL],
    "contents[1].parts[0] is a call before any user content",
  ],
  [
    "a response of the model's that answers none of its calls",
    [user("a"), { role: "model", parts: RESPONSE.parts }],
    "in contents[1] answers no call before it",
  ],
  [
    "arguments as text",
    [user("a"), { role: "model", parts: [{ functionCall: { name: "f", args: "{}" } }] }],
    "functionCall.args is not an object; parse it",
  ],
  [
    "a response as text",
    [user("a"), CALL, { role: "user", parts: [{ functionResponse: { name: "f", response: "ok" } }] }],
    'put the value under "output"',
  ],
])("%s is refused with its place", (_what, contents, message) => {
  const run = () => importHistory(contents as readonly Content[]);
  expect(run).toThrow(ConfigurationError);
  expect(run).toThrow(message);
});
