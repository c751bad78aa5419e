import type { QuotaCounter } from "@pollux/core/quota";
import { expect, test } from "vitest";
import { type PostgresClient, PostgresQuotaStore } from "../src/index.ts";
import { onePool } from "./support/one-pool.ts";

const place = onePool();
const later = Date.now() + 3_600_000;
const counter = (limit: number, amount = 1, key = "k"): QuotaCounter => ({ key, amount, limit, expiresAt: later });

test("counts for all processes, each step whole or not at all", async () => {
  const stores = [0, 1].map(() => new PostgresQuotaStore(place.pool, { schema: place.schema }));
  const added = await Promise.all([...Array(20).keys()].map(async (at) => await stores[at % 2]?.add([counter(7)])));
  expect(added.filter((one) => one?.full === undefined).length).toBe(7);
  const third = new PostgresQuotaStore(place.pool, { schema: place.schema });
  expect(await third.add([counter(1, 1, "other"), counter(7)])).toEqual({ totals: [0, 7], full: 1 });
  expect(await third.add([counter(1, 0.5, "other"), counter(8)])).toEqual({ totals: [0.5, 8], full: undefined });
  // A counter may be among them twice, and be given back.
  expect(await third.add([counter(99, -3), counter(99, -1)])).toEqual({ totals: [4, 4], full: undefined });
});

test("drops counters that have expired", async () => {
  const store = new PostgresQuotaStore(place.pool, { schema: place.schema });
  await store.add([{ key: "old", amount: 5, expiresAt: Date.now() - 1 }]);
  expect(await store.add([counter(9, 1, "old")])).toEqual({ totals: [1], full: undefined });
});

test("a database that cannot be reached is an error that says so, and the next call tries again", async () => {
  const store = new PostgresQuotaStore(place.pool, { schema: place.schema });
  place.pool.before = () => {
    throw new Error("no such host");
  };
  await expect(store.add([counter(9)])).rejects.toThrow("the quota cannot be counted");
  place.pool.before = () => {};
  expect(await store.add([counter(9)])).toEqual({ totals: [1], full: undefined });
});

test("adds one listener to a connection that its pool keeps, however often it is used", async () => {
  const client = await place.pool.connect();
  const listened: string[] = [];
  const kept: PostgresClient = { ...client, release: () => {}, on: (event: string) => listened.push(event) };
  const pool = { query: place.pool.query.bind(place.pool), connect: async () => kept };
  const store = new PostgresQuotaStore(pool, { schema: place.schema });
  for (let time = 0; time < 3; time++) await store.add([counter(9)]);
  expect(listened).toEqual(["error"]);
  client.release();
});
