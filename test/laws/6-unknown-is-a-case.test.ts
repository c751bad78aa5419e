import { Agent, ApiStatusError } from "@pollux/core";
import { ResponseBlockedError, StreamIncompleteError } from "@pollux/core/errors";
import { type Answer, call, faults, finishes, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { eventsOf, faces } from "../../packages/core/test/helpers/faces.ts";
import { byStep, TOOLS } from "../support/trip.ts";
import type { Proxy } from "../support/observed-transport.ts";
import { openWorld, type World } from "../support/world.ts";

const says = (answer: Answer | readonly Answer[], proxy?: Proxy): Promise<World> =>
  openWorld({ brain: byStep(() => answer) }, proxy);

/** Puts something into every chunk of an answer, before its candidates. */
const into =
  (target: RegExp, addition: string): Required<Pick<Proxy, "answer">>["answer"] =>
  (body) =>
    body.replaceAll(target, (found) => `${found}${addition}`);

describe.each(faces)("%s", (_face, read) => {
  test.each([
    ["with text", [say("Half of"), finishes("WATCHED_POT", "It never boils.")]],
    ["without text", [finishes("WATCHED_POT", "It never boils.")]],
    ["with a call", [call("add", { a: 1, b: 2 }), finishes("WATCHED_POT", "It never boils.")]],
  ])("an unknown finish reason %s is never a success, and the result has the model's word", async (_with, answer) => {
    await using world = await says(answer);
    const result = await read(new Agent({ model: world.model(), tools: TOOLS }), "Go.");
    expect(result).toMatchObject({
      stopReason: "unknown-finish",
      finishReason: "WATCHED_POT",
      finishMessage: "It never boils.",
    });
    expect(result).not.toHaveProperty("output");
    expect(world.bodies).toHaveLength(1);
  });

  test("an answer that stopped for no given reason is asked for again, once", async () => {
    await using world = await says([say("Half of"), finishes("OTHER")]);
    const result = await read(new Agent({ model: world.model() }), "Go.");
    expect(result).toMatchObject({ stopReason: "unknown-finish", finishReason: "OTHER" });
    expect(world.bodies).toHaveLength(2);
  });

  test("a stream that ends without a finish reason is a failure, however much came", async () => {
    const brain = byStep(() => say("A whole sentence, by the look of it. ".repeat(20)));
    for (const afterChunks of [0, 1, 5, 100]) {
      await using world = await openWorld({
        brain,
        faults: [{ at: () => true, fault: faults.closeEarly({ afterChunks }) }],
      });
      const agent = new Agent({ model: world.model(), limits: { restarts: 0 } });
      const cut = read(agent, "Go.").then(({ stopReason }) => stopReason);
      await expect(cut).rejects.toBeInstanceOf(StreamIncompleteError);
    }
  });

  test("for an unknown reason to refuse the prompt, the error has the service's word", async () => {
    await using world = await openWorld({ faults: [{ at: 1, fault: faults.promptBlocked("BAD_MOOD") }] });
    const error = await read(new Agent({ model: world.model() }), "Go.").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ResponseBlockedError);
    expect(error).toMatchObject({ blockReason: "BAD_MOOD" });
  });

  test("an unknown status and an unknown word are kept, and not tried again", async () => {
    await using world = await openWorld({
      faults: [{ at: 1, fault: faults.apiError(418, "TEAPOT", "Short and stout.") }],
    });
    const error = await read(new Agent({ model: world.model() }), "Go.").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiStatusError);
    expect(error).toMatchObject({ status: 418, reason: "TEAPOT", retryable: false });
    expect(world.bodies).toHaveLength(1);
  });

  test("unknown fields of the answer and of the candidate stay visible", async () => {
    await using world = await says(say("Hi."), {
      answer: (body) =>
        into(
          /"candidates": ?\[\{/g,
          '"weight":{"kg":3},"safetyRatings":[{"category":"HARM_CATEGORY_SOUP","probability":"TEPID"}],',
        )(body.replaceAll('{"candidates"', '{"weather":["wet"],"candidates"')),
    });
    const { response, text: said } = await read(new Agent({ model: world.model() }), "Go.");
    expect(said).toBe("Hi.");
    expect(response?.candidate).toMatchObject({
      weight: { kg: 3 },
      safetyRatings: [{ category: "HARM_CATEGORY_SOUP", probability: "TEPID" }],
    });
    expect(response?.envelope).toMatchObject({ weather: ["wet"] });
  });

  test("a part that nobody knows does not get lost, and does not make an answer of nothing", async () => {
    const proxy: Proxy = {
      answer: (body) => body.replaceAll(/\{"text": ?"Hi\."/g, '{"scent":{"of":"rain"}},{"text": "Hi."'),
    };
    await using world = await says(say("Hi."), proxy);
    const result = await read(new Agent({ model: world.model() }), "Go.");
    expect(result).toMatchObject({ stopReason: "finished", text: "Hi." });
    expect(result.contents.at(-1)?.parts[0]).toEqual({ scent: { of: "rain" } });
  });
});

test("a part that nobody knows is reported as it came", async () => {
  await using world = await says(say("Hi."), {
    answer: (body) => body.replaceAll(/\{"text": ?"Hi\."/g, '{"scent":{"of":"rain"}},{"text": "Hi."'),
  });
  const { events } = await eventsOf(new Agent({ model: world.model() }), "Go.");
  expect(events).toContainEqual({ type: "part", turn: 1, part: { scent: { of: "rain" } } });
});
