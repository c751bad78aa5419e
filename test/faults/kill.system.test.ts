import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { HAS_POSTGRES, startDebian } from "../../packages/postgres/test/support/debian-postgres.ts";
import { DONE, LONG } from "./support/errand.ts";
import { killAndFinish, killTally, type Moment } from "./support/kill-and-finish.ts";
import { KINDS, openPlaces, type Places } from "./support/places.ts";
import { openProcess } from "./support/processes.ts";
import type { StorePlace } from "./support/process-messages.ts";
import { randomFrom, SEED } from "./support/random.ts";
import { sideBySide } from "./support/side-by-side.ts";
import { problemsOfSession } from "./support/stored-session.ts";

const RANDOM_KILLS = 200;
const WIDTH = 4;

const tally = killTally(`kill -9, seed ${SEED}`);

let places: Places;

beforeAll(async () => {
  places = await openPlaces(LONG);
});

afterAll(async () => {
  tally.print();
  await places[Symbol.asyncDispose]();
});

describe.each(KINDS)("a process with a %s store", (kind) => {
  test(
    "is killed at every entry of its log and in between, and another one goes on",
    { timeout: 1_800_000 },
    async () => expect(await killEverywhere(places.place(kind, "sessions"), RANDOM_KILLS)).toEqual([]),
  );
});

describe.runIf(HAS_POSTGRES)("a process with a store on Postgres", () => {
  test(
    "is killed at every entry of its log and in between, and another one goes on",
    { timeout: 1_800_000 },
    async () => {
      const server = await startDebian();
      onTestFinished(() => server.close());
      const database = { url: server.url, schema: "killed" };
      const place: StorePlace = { kind: "postgres", path: join(places.folder, "postgres"), database };
      expect(await killEverywhere(place, RANDOM_KILLS / 4)).toEqual([]);
    },
  );
});

/** Kills processes at every append and at random moments. @returns Everything that was wrong afterwards. */
async function killEverywhere(place: StorePlace, randomKills: number): Promise<readonly string[]> {
  const { appends, tookMs } = await undisturbed(place);
  expect(appends).toBeGreaterThan(12);
  const random = randomFrom(SEED);
  const moments: Moment[] = Array.from({ length: randomKills }, () => ({ afterMs: random() * tookMs * 1.1 }));
  for (let append = 1; append <= appends; append++) {
    moments.push({ append, when: "after" }, { append, when: "before" }, { append, when: "during" });
  }
  const lanes = Array.from({ length: WIDTH }, (_, lane) => moments.filter((__, index) => index % WIDTH === lane));
  const problems = await sideBySide(lanes, WIDTH, (own, lane) =>
    killAndFinish({ places, tally }, place, own, `${place.kind}-${lane}`),
  );
  return problems.flat();
}

/** The same errand without a fault: how many appends it makes, and how long it takes. */
async function undisturbed(store: StorePlace): Promise<{ readonly appends: number; readonly tookMs: number }> {
  const child = openProcess();
  try {
    let appends = 0;
    const work = places.work(store, `${store.kind}-undisturbed`);
    // Once to load all it needs.
    await child.order({ do: "begin", ...places.work(store, `${store.kind}-first`) });
    const began = performance.now();
    const report = await child.order({ do: "begin", ...work }, (one) => {
      if (one.is === "acknowledged") appends++;
    });
    const tookMs = performance.now() - began;
    expect(report).toMatchObject({ stopReason: "finished", text: DONE });
    expect(await problemsOfSession(LONG, work)).toEqual([]);
    return { appends, tookMs };
  } finally {
    await child.kill();
  }
}
