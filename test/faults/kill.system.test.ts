import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { HAS_POSTGRES, startDebian } from "../../packages/postgres/test/support/debian-postgres.ts";
import { DONE, type Errand, JOBS, LONG } from "./support/errand.ts";
import { killAndFinish, killTally, type Moment } from "./support/kill-and-finish.ts";
import { KINDS, openPlaces, type Places } from "./support/places.ts";
import { openProcess } from "./support/processes.ts";
import type { StorePlace } from "./support/process-messages.ts";
import { randomFrom, SEED } from "./support/random.ts";
import { sideBySide } from "./support/side-by-side.ts";
import { problemsOfSession } from "./support/stored-session.ts";

const RANDOM_KILLS = 80;
const WIDTH = 4;

const tally = killTally(`kill -9, seed ${SEED}`);

const ERRANDS = { "calls alone": LONG, jobs: JOBS } as const;

/** The process to kill, and its store. */
interface Killed {
  readonly places: Places;
  readonly errand: Errand;
}

const killed = new Map<string, Killed>();

beforeAll(async () => {
  for (const [name, errand] of Object.entries(ERRANDS)) killed.set(name, { places: await openPlaces(errand), errand });
});

afterAll(async () => {
  tally.print();
  for (const { places } of killed.values()) await places[Symbol.asyncDispose]();
});

function find(name: string): Killed {
  const found = killed.get(name);
  if (found === undefined) throw new Error(`there is no errand ${name}`);
  return found;
}

describe.each(KINDS)("a process with a %s store", (kind) => {
  test.each([
    ["calls alone", RANDOM_KILLS],
    ["jobs", RANDOM_KILLS / 4],
  ])(
    "is killed at every entry of its log and in between, and another one goes on: %s",
    { timeout: 1_800_000 },
    async (name, randomKills) => {
      const one = find(name);
      expect(await killEverywhere(one, one.places.place(kind, "sessions"), randomKills)).toEqual([]);
    },
  );
});

describe.runIf(HAS_POSTGRES)("a process with a store on Postgres", () => {
  test.each(["calls alone", "jobs"])(
    "is killed at every entry of its log and in between, and another one goes on: %s",
    { timeout: 1_800_000 },
    async (name) => {
      const one = find(name);
      const server = await startDebian();
      onTestFinished(() => server.close());
      const database = { url: server.url, schema: "killed" };
      const place: StorePlace = { kind: "postgres", path: join(one.places.folder, "postgres"), database };
      expect(await killEverywhere(one, place, RANDOM_KILLS / 4)).toEqual([]);
    },
  );
});

/** Kills processes at every append and at random moments. @returns All problems afterward. */
async function killEverywhere(
  { places, errand }: Killed,
  place: StorePlace,
  randomKills: number,
): Promise<readonly string[]> {
  const { appends, tookMs } = await undisturbed({ places, errand }, place);
  expect(appends).toBeGreaterThan(12);
  const random = randomFrom(SEED);
  const moments: Moment[] = Array.from({ length: randomKills }, () => ({ afterMs: random() * tookMs * 1.1 }));
  for (let append = 1; append <= appends; append++) {
    moments.push({ append, when: "after" }, { append, when: "before" }, { append, when: "during" });
  }
  const lanes = Array.from({ length: WIDTH }, (_, lane) => moments.filter((__, index) => index % WIDTH === lane));
  const problems = await sideBySide(lanes, WIDTH, (own, lane) =>
    killAndFinish({ places, tally, errand }, place, own, `${place.kind}-${lane}`),
  );
  return problems.flat();
}

/** The same errand without a fault: how many appends it makes, and how long it takes. */
async function undisturbed(
  { places, errand }: Killed,
  store: StorePlace,
): Promise<{ readonly appends: number; readonly tookMs: number }> {
  const child = openProcess();
  try {
    let appends = 0;
    const work = places.work(store, `${store.kind}-undisturbed`);
    // Once to load all modules.
    await child.order({ do: "begin", ...places.work(store, `${store.kind}-first`) });
    const began = performance.now();
    const report = await child.order({ do: "begin", ...work }, (one) => {
      if (one.is === "acknowledged") appends++;
    });
    const tookMs = performance.now() - began;
    expect(report).toMatchObject({ stopReason: "finished", text: DONE });
    expect(await problemsOfSession(errand, work)).toEqual([]);
    return { appends, tookMs };
  } finally {
    await child.kill();
  }
}
