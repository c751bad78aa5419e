import { say } from "@pollux/core/testing";
import type { PerRun } from "@pollux/web";
import { agUi } from "@pollux/web/ag-ui";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { openPage, readChunks, SteppedModel } from "./chat-page.ts";

/** Counts the characters of the texts that are cut or compared, which a text that grows by pieces is copied for each time. */
function countCharacters(): { readonly read: () => number; readonly stop: () => void } {
  let characters = 0;
  const spies = (["slice", "startsWith"] as const).map((name) => {
    const method = Reflect.get(String.prototype, name);
    return vi.spyOn(String.prototype, name).mockImplementation(function (this: string, ...args: unknown[]) {
      characters += this.length;
      return Reflect.apply(method, this, args) as never;
    });
  });
  return {
    read: () => characters,
    stop: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

const FOLLOWERS = 4;

const PROTOCOLS = {
  "AI SDK": {
    options: {},
    body: {
      id: "c1",
      messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "Tell me." }] }],
      mood: "curious",
    },
  },
  "AG-UI": {
    options: { protocol: agUi() },
    body: {
      threadId: "c1",
      runId: "r1",
      messages: [{ id: "m1", role: "user", content: "Tell me." }],
      tools: [],
      context: [],
      // Kept in the log, with the answer.
      forwardedProps: { mood: "curious" },
    },
  },
} as const;

const perRun: PerRun = { body: z.object({ mood: z.string().optional() }), options: () => ({}) };

/** What it takes to send an answer of so many pieces to its readers, piece by piece. */
async function charactersFor(
  pieces: number,
  { options, body }: (typeof PROTOCOLS)["AG-UI" | "AI SDK"],
): Promise<number> {
  const model = new SteppedModel(say(...Array.from({ length: pieces }, () => "word ".repeat(20))));
  const page = openPage(model, { ...options, perRun });
  const first = readChunks(await page.ask("POST", "", { body }));
  const followers = await Promise.all(Array.from({ length: FOLLOWERS }, () => page.ask("GET", "/c1/stream")));
  model.say();
  const counted = countCharacters();
  const countDeltas = async (chunks: AsyncIterable<object>, onDelta: () => void): Promise<number> => {
    let deltas = 0;
    for await (const chunk of chunks) {
      if (!("delta" in chunk)) continue;
      deltas++;
      onDelta();
    }
    return deltas;
  };
  const counts = await Promise.all([
    countDeltas(first, () => model.say()),
    ...followers.map(async (response) => await countDeltas(readChunks(response), () => {})),
  ]).finally(counted.stop);
  expect(counts[0]).toBe(pieces);
  expect(Math.min(...counts)).toBeGreaterThan(pieces / 4);
  return counted.read();
}

test.each(["AI SDK", "AG-UI"] as const)(
  "%s: what an answer costs its readers grows as its length does",
  async (name) => {
    const short = await charactersFor(100, PROTOCOLS[name]);
    const long = await charactersFor(400, PROTOCOLS[name]);
    expect(long).toBeLessThan(5 * short);
  },
);
