import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, type SessionStore } from "@pollux/core";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorld, type World } from "../support/world.ts";
import { endings, readEffects } from "./support/effects.ts";
import { DONE, errandBrain, LONG, receiptsIn, receiptsOf } from "./support/errand.ts";
import { FULL, randomFrom, SEED, sideBySide } from "./support/full.ts";
import { type AgentProcess, openProcess } from "./support/processes.ts";
import type { KillPoint, Report, StorePlace, Work } from "./support/process-messages.ts";
import { Tally } from "./support/tally.ts";
import { recordedCalls } from "./support/read-log.ts";

/** When a process is killed: at a place in its log, or after a time in milliseconds. */
type Moment = KillPoint | { readonly afterMs: number };

const RANDOM_KILLS = FULL ? 200 : 8;
const WIDTH = 3;

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

let folder: string;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-kill-"));
  world = await openWorld({ brain: errandBrain(LONG), largeSignatures: false, delays: { firstByteMs: 1 } });
});

afterAll(async () => {
  tally.print();
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe.each(["jsonl", "sqlite"] as const)("a process with a %s store", (kind) => {
  test("is killed at every entry of its log and in between, and another one goes on", { timeout: 600_000 }, async () => {
    const place: StorePlace = { kind, path: join(folder, kind === "jsonl" ? "sessions" : "sessions.db") };
    const { appends, tookMs } = await undisturbed(place);
    expect(appends).toBeGreaterThan(12);
    const random = randomFrom(SEED);
    const moments: Moment[] = Array.from({ length: RANDOM_KILLS }, () => ({ afterMs: random() * tookMs * 1.1 }));
    for (let append = 1; append <= appends; append++) {
      moments.push({ append, when: "before" }, { append, when: "after" });
      if (FULL || append % 3 === 0) moments.push({ append, when: "during" });
    }
    const lanes = Array.from({ length: WIDTH }, (_, lane) => moments.filter((__, index) => index % WIDTH === lane));
    const problems = await sideBySide(lanes, WIDTH, (own, lane) => killAndFinish(place, own, `${kind}-${lane}`));
    expect(problems.flat()).toEqual([]);
  });
});

/** The same errand without a fault: how many appends it makes, and how long it takes. */
async function undisturbed(store: StorePlace): Promise<{ readonly appends: number; readonly tookMs: number }> {
  const child = openProcess();
  try {
    let appends = 0;
    const work = workOf(store, `${store.kind}-undisturbed`);
    // Once to load all it needs.
    await child.order({ do: "begin", ...workOf(store, `${store.kind}-first`) });
    const began = performance.now();
    const report = await child.order({ do: "begin", ...work }, (one) => {
      if (one.is === "acknowledged") appends++;
    });
    const tookMs = performance.now() - began;
    expect(report).toMatchObject({ stopReason: "finished", text: DONE });
    expect(await problemsOf(work)).toEqual([]);
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
    const work = workOf(store, `${name}-${index}`);
    const next = openProcess();
    const acknowledged = await beginAndKill(child, work, moment);
    child = next;
    const atDeath = await allOf(store, work.id);
    const effectsAtDeath = readEffects(work.effects).length;
    const report = await child.order({ do: "finish", ...work });
    const after = await allOf(store, work.id);
    const found = [
      ...(atDeath.length < acknowledged ? [`lost: ${acknowledged} entries were acknowledged, ${atDeath.length} are there`] : []),
      ...(JSON.stringify(after.slice(0, atDeath.length)) === JSON.stringify(atDeath) ? [] : ["lost: entries were changed"]),
      ...problemsOfReport(report),
      ...(await problemsOf(work)),
      ...ranAgain(store.kind, work, atDeath, effectsAtDeath),
    ];
    note(store.kind, report, found);
    problems.push(...found.map((problem) => `${work.id} killed ${JSON.stringify(moment)}: ${problem}`));
  }
  await child.kill();
  return problems;
}

/** @returns How many entries the process was told are stored. */
async function beginAndKill(child: AgentProcess, work: Work, moment: Moment): Promise<number> {
  let acknowledged = 0;
  let kill: Promise<void> | undefined;
  await child.ready();
  const timer = "afterMs" in moment ? setTimeout(() => (kill = child.kill()), moment.afterMs) : undefined;
  const killPoint = "append" in moment ? moment : undefined;
  await child.order({ do: "begin", ...work, killPoint }, (report) => {
    if (report.is === "acknowledged") acknowledged = report.length;
    if (report.is === "at-kill-point") kill = child.kill();
  });
  clearTimeout(timer);
  await (kill ?? child.kill());
  return acknowledged;
}

function workOf(store: StorePlace, id: string): Work {
  return { url: world.url, store, id, effects: join(folder, `${id}.effects`) };
}

async function withStore<Result>({ kind, path }: StorePlace, use: (store: SessionStore) => Promise<Result>): Promise<Result> {
  if (kind === "jsonl") return await use(new JsonlStore(path));
  using store = new SqliteStore(path);
  return await use(store);
}

function allOf(place: StorePlace, id: string): Promise<readonly unknown[]> {
  return withStore(place, (store) => store.load(id));
}

function problemsOfReport(report: Report | undefined): readonly string[] {
  if (report?.is === "finished" && report.stopReason === "finished" && report.text === DONE) return [];
  const untyped = report?.is === "failed" && !report.typed;
  return [`${untyped ? "untyped" : "lost"}: ended with ${JSON.stringify(report)}`];
}

/** What is wrong with a session that is over. */
async function problemsOf({ effects, store, id }: Work): Promise<readonly string[]> {
  const problems: string[] = [];
  const history = await withStore(store, (open) => new Agent({ model: world.model() }).session({ id, store: open }).history());
  const receipts = receiptsIn(history);
  const expected = receiptsOf(LONG);
  if (receipts.join() !== expected.join()) problems.push(`lost: the history holds ${receipts.join()}`);
  const ended = endings(readEffects(effects));
  for (const what of expected) {
    const times = ended.get(what) ?? 0;
    if (times === 0) problems.push(`lost: ${what} never happened`);
    if (times > 1 && what.startsWith("pay")) problems.push(`doubled: ${what} happened ${times} times`);
  }
  const keys = new Map(readEffects(effects).map(({ what, key }) => [key, what]));
  if (keys.size !== expected.length) problems.push(`doubled: ${keys.size} keys for ${expected.length} effects`);
  return problems;
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

function note(row: string, report: Report | undefined, problems: readonly string[]): void {
  tally.count(row, "killed");
  for (const problem of problems) tally.count(row, problem.split(":")[0] ?? problem);
  if (report?.is !== "finished") return;
  if (report.found === "nothing") tally.count(row, "before it began");
  if (report.found === "finished") tally.count(row, "when all was done");
  tally.count(row, "asked about", report.unknown.length);
  tally.count(row, "of these done", report.unknown.filter(({ done }) => done).length);
}
