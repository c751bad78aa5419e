import { Agent, type Content, defineTool, type Part } from "@pollux/core";
import { call, calls, parts, script, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { answer, chunk, eventStream, openRawService } from "../support/raw-service.ts";
import { sentBy, sketch } from "../support/sketch.ts";
import { ANSWER, byStep, TOOLS, trip, user } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld, refusals, type World } from "../support/world.ts";

const DUMMY = "skip_thought_signature_validator";
const ping = defineTool({ name: "ping", description: "Pings.", run: () => "pong" });
const RESPONSE: Content = {
  role: "user",
  parts: [{ functionResponse: { name: "ping", response: { output: "pong" } } }],
};

/** Parts of an answer as received, chunk by chunk. */
function arrived(body: string | undefined): Part[] {
  return (body ?? "")
    .split("\r\n\r\n")
    .filter((event) => event !== "")
    .flatMap((event) => {
      const { candidates } = JSON.parse(event.slice("data: ".length)) as { candidates?: [{ content?: Content }] };
      return candidates?.[0].content?.parts ?? [];
    });
}

function signaturesIn(world: World): readonly (string | undefined)[] {
  const contents = sentBy(world).at(-1)?.contents ?? [];
  return contents.flatMap((content) => content.parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []));
}

describe.each(faces)("%s", (face) => {
  test.each(["gemini-3.8-flash", "gemini-3-flash-preview", "gemini-4-argon"])(
    "%s never finds a call without its thought signature, on any step of a run",
    async (id) => {
      await using world = await openWorld({ brain: trip() });
      const agent = new Agent({ model: world.model(id), tools: TOOLS });
      const seen = await watch(face, agent, "Weather?");
      expect(seen.result).toMatchObject({ stopReason: "finished", text: ANSWER, turns: 3 });
      const sent = sentBy(world).at(-1)?.contents ?? [];
      const isCallOrSigned = (each: Part): boolean => each.functionCall !== undefined || "thoughtSignature" in each;
      expect(sent[1]?.parts.filter(isCallOrSigned)).toEqual(arrived(world.answers[0]).filter(isCallOrSigned));
      expect(sent[3]?.parts).toEqual(arrived(world.answers[1]));
      expect(signaturesIn(world)).toHaveLength(2);
      expect(refusals(world.emulator)).toEqual([]);
    },
  );

  test("the service does refuse a call whose signature was lost on the way", async () => {
    const lose = (body: string): string => body.replaceAll(/"thoughtSignature":"[^"]*"/g, '"thought":false');
    await using world = await openWorld({ brain: trip() }, { request: lose });
    const seen = await watch(face, new Agent({ model: world.model(), tools: TOOLS }), "Weather?");
    expect(seen.error).toMatchObject({ status: 400, message: expect.stringMatching(/missing a .?thought_signature/) });
    expect(sketch(seen.contents).at(-1)).toMatch(/^user: get_weather <- /);
  });

  test.each<[string, readonly Part[]]>([
    ["on an empty text behind the call", [{ functionCall: { name: "ping" } }, { text: "", thoughtSignature: "c2ln" }]],
    ["on a call without arguments", [{ functionCall: { name: "ping" }, thoughtSignature: "c2ln" }]],
    [
      "on an empty text before the call",
      [{ text: "", thoughtSignature: "c2ln" }, { functionCall: { name: "ping", args: {} } }],
    ],
    [
      "on a thought",
      [{ text: "Hm.", thought: true, thoughtSignature: "c2ln" }, { functionCall: { name: "ping", args: {} } }],
    ],
    [
      "in the middle of a text",
      [{ text: "a" }, { text: "b", thoughtSignature: "c2ln" }, { text: "c" }, { functionCall: { name: "ping" } }],
    ],
    [
      "on a part of a new kind",
      [{ functionCall: { name: "ping" } }, { hologram: 1, thoughtSignature: "c2ln" } as unknown as Part],
    ],
  ])("a signature %s stays there", async (_where, signed) => {
    const body = eventStream(...signed.map((each) => chunk([each])), chunk([], "STOP"));
    await using service = await openRawService({ body }, answer({ text: "Done." }));
    const seen = await watch(face, new Agent({ model: service.model(), tools: [ping] }), "Ping.");
    const expected = [user("Ping."), { role: "model", parts: signed }, RESPONSE];
    expect(JSON.parse(service.bodies[1] ?? "")).toMatchObject({ contents: expected });
    expect(seen.contents).toEqual([...expected, { role: "model", parts: [{ text: "Done." }] }]);
  });

  test("a model of the same family continues with the signatures unchanged", async () => {
    await using world = await openWorld({
      brain: script([call("get_weather", { city: "Oslo" }), say("4."), say("5.")]),
    });
    const ask = (id: string) => new Agent({ model: world.model(id), tools: TOOLS });
    const first = await watch(face, ask("gemini-3.6-flash"), "Weather?");
    const before = signaturesIn(world);
    const open = first.contents.slice(0, 3);
    const second = await watch(face, ask("gemini-3.5-flash"), open);
    expect(second.result).toMatchObject({ stopReason: "finished", text: "5." });
    expect(signaturesIn(world)).toEqual(before);
    expect(before[0]).not.toBe(DUMMY);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a signature of another project is replaced after one more try, for good; the history keeps the texts", async () => {
    await using other = await openWorld({ brain: trip(), seed: "another project" });
    const before = await watch(face, new Agent({ model: other.model(), tools: TOOLS }), "Weather?");
    const history = before.contents.slice(0, 3);
    await using world = await openWorld({ brain: trip() });
    const agent = new Agent({ model: world.model(), tools: TOOLS });
    const seen = await watch(face, agent, history);
    seen.saw(`run-start turn-start notice notice part response tool-start tool-end turn-end
      turn-start text-delta response turn-end run-end`);
    expect(refusals(world.emulator)).toEqual([
      { number: 1, rule: "E-51" },
      { number: 2, rule: "E-51" },
    ]);
    expect(world.bodies).toHaveLength(4);
    expect(world.bodies[1]).toBe(world.bodies[0]);
    expect(sentBy(world)[3]?.contents[1]?.parts.map(({ thoughtSignature }) => thoughtSignature)).toContain(DUMMY);
    expect(seen.contents.slice(0, 3)).toEqual(history);
    expect(seen.result).toMatchObject({ stopReason: "finished", text: ANSWER });
  });

  test("parallel calls: the signature stays on the first, the others stay without", async () => {
    await using world = await openWorld({
      brain: byStep(
        () => calls("ping", "ping", "ping"),
        () => say("Three."),
      ),
      strict: { movedSignatures: "refuse" },
    });
    await watch(face, new Agent({ model: world.model(), tools: [ping] }), "Ping.");
    const signed = sentBy(world)[1]?.contents[1]?.parts.flatMap((each) =>
      each.functionCall === undefined ? [] : "thoughtSignature" in each,
    );
    expect(signed).toEqual([true, false, false]);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("a signature of more than 100 KB goes back whole", async () => {
    const thoughtSignature = "QUJD".repeat(40_000);
    await using service = await openRawService(
      answer({ functionCall: { name: "ping" }, thoughtSignature }),
      answer({ text: "Done." }),
    );
    await watch(face, new Agent({ model: service.model(), tools: [ping] }), "Ping.");
    expect(JSON.parse(service.bodies[1] ?? "")).toMatchObject({
      contents: [
        user("Ping."),
        { role: "model", parts: [{ functionCall: { name: "ping" }, thoughtSignature }] },
        RESPONSE,
      ],
    });
  });

  test("an older model that signs nothing is sent nothing signed", async () => {
    await using world = await openWorld({ brain: trip() });
    const seen = await watch(face, new Agent({ model: world.model("gemini-2.0-flash"), tools: TOOLS }), "Weather?");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: ANSWER });
    expect(signaturesIn(world)).toEqual([]);
    expect(refusals(world.emulator)).toEqual([]);
  });
});

test("a given part of the emulator goes back unchanged", async () => {
  const said = { functionCall: { name: "ping", args: {}, id: "x1" }, thoughtSignature: DUMMY };
  await using world = await openWorld({
    brain: byStep(
      () => parts(said),
      () => say("Done."),
    ),
  });
  await new Agent({ model: world.model(), tools: [ping] }).run("Ping.");
  expect(sentBy(world)[1]?.contents[1]?.parts[0]).toEqual(said);
});
