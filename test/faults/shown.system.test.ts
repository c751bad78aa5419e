import { say } from "@pollux/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorld } from "../support/world.ts";
import { randomFrom, SEED } from "./support/random.ts";
import { openSharedPlaces, SHARED_KINDS, type SharedPlaces } from "./support/rivals/rival-places.ts";
import { openShared } from "./support/rivals/shared-store.ts";
import { killWhileStreaming } from "./support/rivals/streamed-kills.ts";
import { LONG_TEXT } from "./support/rivals/streamed-text.ts";
import { Tally } from "./support/tally.ts";

const KILLS = 8;

const tally = new Tally(`kill -9 in the middle of a text, seed ${SEED}`, [
  "killed",
  "characters shown",
  "kept",
  "lost",
  "doubled",
]);
let places: SharedPlaces;
beforeAll(async () => void (places = await openSharedPlaces()));
afterAll(async () => {
  tally.print();
  await places[Symbol.asyncDispose]();
});

test.each(SHARED_KINDS)("what a %s store keeps of a text is all but what was shown last", async (kind) => {
  await using world = await openWorld({
    brain: { answer: () => say(LONG_TEXT) },
    delays: { chunkMs: 20 },
    deltaCharacters: 16,
  });
  const place = await places.place(kind, "shown");
  await using shared = openShared(place);
  const random = randomFrom(SEED);
  const moments = Array.from({ length: KILLS }, (_, kill) => ({
    isKept: kill % 2 === 1,
    more: Math.floor(random() * 100),
  }));
  const { store } = shared;
  expect(await killWhileStreaming({ store, place, url: world.url, moments, tally, row: kind })).toEqual([]);
  expect(tally.total("kept")).toBeGreaterThan(0);
});
