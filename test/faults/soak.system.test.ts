import { once } from "node:events";
import type { FaultRule } from "@pollux/emulator";
import { afterAll, expect, test } from "vitest";
import { CATALOG } from "../support/fault-catalog.ts";
import { openWorld, refusals } from "../support/world.ts";
import { errandBrain } from "./support/errand-brain.ts";
import { PLAIN } from "./support/errand.ts";
import { randomFrom, SEED } from "./support/random.ts";
import { startProgram } from "./support/processes.ts";
import type { SoakOrder, SoakReport } from "./support/soak-process.ts";
import { Tally } from "./support/tally.ts";

const SESSIONS = 1000;
/** Share of the requests that fail. */
const FAULTS = 0.02;
/** How much more memory may be in use afterward, in bytes: a leak in each session would be far more. */
const SLACK = 4 * 2 ** 20;

const tally = new Tally(`${SESSIONS} sessions of 5 turns at once, ${FAULTS * 100}% faults, seed ${SEED}`);
afterAll(() => tally.print());

test("sessions at once all end right or typed, and leave no memory behind", { timeout: 1_800_000 }, async () => {
  let requests = 0;
  const rules = randomFaults(SEED);
  await using world = await openWorld({
    brain: errandBrain(PLAIN),
    faults: rules,
    largeSignatures: false,
    onAnswered: () => requests++,
  });
  const child = startProgram(new URL("./support/soak-process.ts", import.meta.url), ["--expose-gc"]);
  const answer = once(child, "message");
  const order: SoakOrder = { url: world.url, sessions: SESSIONS, silenceMs: 20_000 };
  child.send(order);
  const [report] = (await answer) as [SoakReport];
  child.disconnect();

  for (const [what, times] of Object.entries(report.counts).toSorted(([a], [b]) => a.localeCompare(b)))
    tally.count(what, "times", times);
  const { heap, rss, problems, unheard } = report;
  tally.found(
    "problems",
    "",
    problems.map((problem) => problem.replace(/^session \d+: /, "")),
  );
  const mega = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  tally.note(`${requests} requests in ${(report.tookMs / 1000).toFixed(1)} s`);
  for (const [name, { before, most, after }] of Object.entries({ heap, rss })) {
    tally.note(`${name}: ${mega(before)} before, ${mega(most)} at most, ${mega(after)} after`);
  }
  const known = new Set(Object.values(CATALOG).map(({ rule }) => rule));
  expect(refusals(world.emulator).filter(({ rule }) => rule === undefined || !known.has(rule))).toEqual([]);
  expect(problems).toEqual([]);
  expect(unheard).toEqual([]);
  expect(heap.after).toBeLessThan(heap.before + SLACK);
});

/** Injects every fault of the catalog into some requests, the same ones for the same seed. */
function randomFaults(seed: number): readonly FaultRule[] {
  const names = Object.keys(CATALOG);
  const pick = (number: number): string | undefined => {
    const random = randomFrom(seed * 1_000_003 + number);
    return random() < FAULTS ? names[Math.floor(random() * names.length)] : undefined;
  };
  return Object.entries(CATALOG).map(([name, fault]) => ({ at: ({ number }) => pick(number) === name, fault }));
}
