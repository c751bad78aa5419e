import { Agent, googleSearch } from "@pollux/core";
import { type Answer, call, parts, grounded, say, think } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { plainFold } from "../contract/plain-fold.ts";
import { byStep, TOOLS, trip } from "../support/trip.ts";
import { openWorld, refusals, type World } from "../support/world.ts";

/** The parts of each model content in the last request, as text: same keys in the same order. */
function sentBack(world: World): readonly string[] {
  const { contents } = JSON.parse(world.bodies.at(-1)!) as { contents: { role?: string; parts: unknown }[] };
  return contents.filter(({ role }) => role === "model").map((content) => JSON.stringify(content.parts));
}

/** The parts of each answer except the last, read in the simplest way. */
function received(world: World): readonly string[] {
  return world.answers.slice(0, -1).map((body) => {
    const lines = body.split(/\r?\n/).filter((line) => line.startsWith("data:"));
    return JSON.stringify(plainFold(lines.map((line) => JSON.parse(line.slice(5)))).parts);
  });
}

const found: Answer = grounded("", { queries: ["oslo weather"], sources: [{ title: "yr.no" }] });

/** A search by the service, a thought, signed calls; then signed text beside a call; then the answer. */
const mixed = byStep(
  () => [
    think("Search first."),
    found,
    say("I have looked it up. "),
    call("get_weather", { city: 'Ós\u2028lo <&> "q"' }),
  ],
  () => [say("Now add."), call("add", { b: 4, a: 1e21 })],
  () => say("Done."),
);

describe.each(faces)("%s", (_face, read) => {
  test("thoughts, server-side tool parts, signatures and empty texts go back as they came", async () => {
    await using world = await openWorld({ brain: mixed });
    const agent = new Agent({
      model: world.model(),
      tools: [...TOOLS, googleSearch()],
      settings: { includeThoughts: true },
    });
    const result = await read(agent, "Weather?");
    expect(result.stopReason).toBe("finished");
    expect(sentBack(world)).toEqual(received(world));
    expect(sentBack(world).join()).toMatch(/toolCall.*toolResponse.*functionCall.*"text":""/s);
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("large signatures and deltas of any size make no difference", async () => {
    await using world = await openWorld({
      brain: mixed,
      deltaCharacters: 2,
      framing: { splitBytes: true },
      seed: "large",
    });
    await read(new Agent({ model: world.model(), tools: [...TOOLS, googleSearch()] }), "Weather?");
    expect(sentBack(world)).toEqual(received(world));
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("texts with a signature or an unknown field are not joined with their neighbors", async () => {
    const signed = parts({ text: "Signed. ", thoughtSignature: "skip_thought_signature_validator" });
    const tint = '"tint":"red",';
    await using world = await openWorld(
      {
        brain: byStep(
          () => [say("Plain. "), signed, say("Plain again. "), say("Tinted. "), call("add", { a: 1, b: 2 })],
          () => say("Done."),
        ),
      },
      {
        answer: (body) => body.replaceAll(/\{("text": ?"Tinted)/g, `{${tint}$1`),
        request: (body) => body.replaceAll(tint, ""),
      },
    );
    const result = await read(new Agent({ model: world.model(), tools: TOOLS }), "Go.");
    expect(result.contents[1]?.parts.slice(0, 4)).toEqual([
      { text: "Plain. " },
      { text: "Signed. ", thoughtSignature: "skip_thought_signature_validator" },
      { text: "Plain again. " },
      { tint: "red", text: "Tinted. " },
    ]);
    expect(sentBack(world)).toEqual(received(world));
    expect(refusals(world.emulator)).toEqual([]);
  });

  test("fields and part kinds that nobody knows go back as they came, in their place", async () => {
    // A newer service might stream this. The emulator refuses it, so requests to it are stripped.
    const novelty = '"hologram":{"z":1,"a":[null,{"y":0,"b":0}]},';
    const lonePart = '{"aura":{"color":"teal"}},';
    await using world = await openWorld(
      { brain: trip(), largeSignatures: false },
      {
        answer: (body) => body.replaceAll(/\{("functionCall": ?\{)/g, `${lonePart}{${novelty}$1"mood":"calm",`),
        request: (body) => body.replaceAll(lonePart, "").replaceAll(novelty, "").replaceAll('"mood":"calm",', ""),
      },
    );
    const result = await read(
      new Agent({ model: world.model(), tools: TOOLS, settings: { includeThoughts: true } }),
      "Weather?",
    );
    expect(result.stopReason).toBe("finished");
    expect(sentBack(world)).toEqual(received(world));
    expect(sentBack(world)[0]).toContain('"mood":"calm"');
    expect(JSON.stringify(result.contents)).toContain(novelty);
    expect(JSON.stringify(result.contents)).toContain(lonePart);
  });

  test("a whole conversation is sent again as it stands", async () => {
    await using world = await openWorld({ brain: trip() });
    const agent = new Agent({ model: world.model(), tools: TOOLS });
    const first = await read(agent, "Weather?");
    await read(agent, [...first.contents, { role: "user", parts: [{ text: "Again?" }] }]);
    const last = JSON.parse(world.bodies.at(-1)!) as { contents: unknown[] };
    expect(JSON.stringify(last.contents.slice(0, first.contents.length))).toBe(JSON.stringify(first.contents));
    expect(refusals(world.emulator)).toEqual([]);
  });
});
