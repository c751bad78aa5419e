import type { GenerateContentRequest } from "@pollux/core/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readEffects } from "./support/effects.ts";
import { DONE, LONG, messageOf, receiptsIn } from "./support/errand.ts";
import { FULL, randomFrom, SEED, sideBySide } from "./support/full.ts";
import { KINDS, openPlaces, type Places } from "./support/places.ts";
import { type AgentProcess, openProcess } from "./support/processes.ts";
import type { KillPoint, Report, StorePlace, Work } from "./support/process-messages.ts";
import {
  entriesOf,
  lostEntries,
  problemsOfReport,
  problemsOfSession,
  recordedCalls,
} from "./support/stored-session.ts";
import { Tally } from "./support/tally.ts";

/** When a process is killed: at a place in its log, or after a time in milliseconds. */
type Moment = KillPoint | { readonly afterMs: number };

const RANDOM_KILLS = FULL ? 200 : 4;
const WIDTH = 4;

const tally = new Tally(`kill -9, seed ${SEED}`, [
  "killed",
  "before it began",
  "when all was done",
  "ran again, as it may",
  "asked about",
  "of these done",
  "lost",
  "doubled",
  "untyped",
]);

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
    { timeout: 600_000 },
    async () => {
      const place = places.place(kind, "sessions");
      const { appends, tookMs } = await undisturbed(place);
      expect(appends).toBeGreaterThan(12);
      const random = randomFrom(SEED);
      const moments: Moment[] = Array.from({ length: RANDOM_KILLS }, () => ({ afterMs: random() * tookMs * 1.1 }));
      for (let append = 1; append <= appends; append++) {
        moments.push({ append, when: "after" });
        // Mostly what there is after the one before, so only some of them where time is short.
        if (FULL || append % 9 === 0) moments.push({ append, when: "before" }, { append, when: "during" });
      }
      const lanes = Array.from({ length: WIDTH }, (_, lane) => moments.filter((__, index) => index % WIDTH === lane));
      const problems = await sideBySide(lanes, WIDTH, (own, lane) => killAndFinish(place, own, `${kind}-${lane}`));
      expect(problems.flat()).toEqual([]);
    },
  );
});

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

/** Kills one process after the other; each first finishes what the one before it left, then begins something of its own. */
async function killAndFinish(store: StorePlace, moments: readonly Moment[], name: string): Promise<readonly string[]> {
  const problems: string[] = [];
  let child = openProcess();
  for (const [index, moment] of moments.entries()) {
    const work = places.work(store, `${name}-${index}`);
    const next = openProcess();
    const acknowledged = await beginAndKill(child, work, moment);
    child = next;
    const atDeath = await entriesOf(work);
    const toldByDeath = receiptsTold(work);
    const effectsAtDeath = readEffects(work.effects).length;
    const report = await child.order({ do: "finish", ...work });
    const after = await entriesOf(work);
    const found = [
      ...lostEntries(acknowledged, atDeath, after),
      ...toldTooEarly(atDeath, toldByDeath),
      ...problemsOfReport(report),
      ...(await problemsOfSession(LONG, work)),
      ...ranAgain(store.kind, work, atDeath, effectsAtDeath),
    ];
    note(store.kind, report);
    problems.push(...tally.found(store.kind, `${work.id} killed ${JSON.stringify(moment)}`, found));
  }
  await child.kill();
  return problems;
}

/** @returns How many entries the process was told are stored. */
async function beginAndKill(child: AgentProcess, work: Work, moment: Moment): Promise<number> {
  let acknowledged = 0;
  let kill: Promise<void> | undefined;
  await child.ready();
  const killNow = (): void => void (kill ??= child.kill());
  const timer = "afterMs" in moment ? setTimeout(killNow, moment.afterMs) : undefined;
  const killPoint = "append" in moment ? moment : undefined;
  await child.order({ do: "begin", ...work, killPoint }, (report) => {
    if (report.is === "acknowledged") acknowledged = report.length;
    if (report.is === "at-kill-point") killNow();
  });
  clearTimeout(timer);
  await (kill ?? child.kill());
  return acknowledged;
}

/** How many receipts the model has read in a session. */
function receiptsTold(work: Work): number {
  const told = places.world.emulator.requests.map(({ body }) => {
    // All that these processes send asks for content.
    const { contents } = body as GenerateContentRequest;
    return contents[0]?.parts[0]?.text === messageOf(work) ? receiptsIn(contents).length : 0;
  });
  return Math.max(0, ...told);
}

/** The model must not hear of what would be forgotten by a crash. */
function toldTooEarly(atDeath: readonly unknown[], told: number): readonly string[] {
  const recorded = recordedCalls(atDeath).size;
  return told <= recorded ? [] : [`lost: the model was told of ${told} calls when ${recorded} were recorded`];
}

/** What was recorded before the process died must not begin again; what was not may, but for what must happen once. */
function ranAgain(row: string, { effects }: Work, atDeath: readonly unknown[], from: number): readonly string[] {
  const recorded = recordedCalls(atDeath);
  const all = readEffects(effects);
  const before = new Set(all.slice(0, from).map(({ key }) => key));
  const problems: string[] = [];
  for (const { step, key, what } of all.slice(from)) {
    if (step !== "start" || !before.has(key)) continue;
    if (recorded.has(key)) problems.push(`doubled: ${what} was recorded and ran again`);
    else tally.count(row, "ran again, as it may");
  }
  return problems;
}

function note(row: string, report: Report | undefined): void {
  tally.count(row, "killed");
  if (report?.is !== "finished") return;
  if (report.found === "nothing") tally.count(row, "before it began");
  if (report.found === "finished") tally.count(row, "when all was done");
  tally.count(row, "asked about", report.unknown.length);
  tally.count(row, "of these done", report.unknown.filter(({ done }) => done).length);
}
