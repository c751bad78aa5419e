import { MemoryStore } from "@pollux/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalRival } from "./support/rivals/local-rival.ts";
import { race } from "./support/rivals/race.ts";
import { startRival } from "./support/rivals/remote-rival.ts";
import { openSharedPlaces, SHARED_KINDS, type SharedPlaces } from "./support/rivals/rival-places.ts";
import { rivalTally } from "./support/rivals/rival-table.ts";
import { openShared } from "./support/rivals/shared-store.ts";

/** Rounds for each of 55 pairs of acts that fit into two minutes; `POLLUX_ROUNDS=5` plays five times as many. */
const MORE = Number(process.env["POLLUX_ROUNDS"] ?? 1);
const ROUNDS = { memory: 150 * MORE, sqlite: 30 * MORE, jsonl: 30 * MORE, postgres: 12 * MORE };

/** Ends a hang; other programs may use the machine as well. */
const LIMIT = { timeout: 1_800_000 };

const tally = rivalTally("two that race on one session, each pair of acts");
let places: SharedPlaces;
beforeAll(async () => void (places = await openSharedPlaces()));
afterAll(async () => {
  tally.print();
  await places[Symbol.asyncDispose]();
});

test("two objects of one session act on it at random moments, and nothing is lost or doubled", LIMIT, async () => {
  const store = new MemoryStore();
  const rivals = [new LocalRival(store), new LocalRival(store)] as const;
  expect(await race({ store, rivals, rounds: ROUNDS.memory, tally, row: "memory" })).toEqual([]);
});

describe.each(SHARED_KINDS)("two processes with a %s store", (kind) => {
  test.each([
    ["act on one session at random moments, and nothing is lost or doubled", [0, 0], ROUNDS[kind]],
    ["do so with clocks that are twelve hours apart", [-7, 5], 5 * MORE],
  ] as const)("%s", LIMIT, async (_name, hours, rounds) => {
    const row = hours[0] === hours[1] ? kind : `${kind}, clocks differ`;
    const place = await places.place(kind, `races${hours[1]}`);
    await using shared = openShared(place);
    await using one = await startRival(place, hours[0]);
    await using other = await startRival(place, hours[1]);
    const { store } = shared;
    expect(await race({ store, rivals: [one, other], rounds, tally, row })).toEqual([]);
    expect([...one.unheard, ...other.unheard]).toEqual([]);
  });
});
